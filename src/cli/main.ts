import { StrongroomError } from '../errors.ts'
import type { CommandEntry } from './command.ts'
import { commands } from './commands/index.ts'
import { note, print, printError } from './terminal.ts'

/** Runs one command line; resolves to the exit code: 0 good, 1 a finding or failure, 2 usage. */
async function run([name, ...args]: readonly string[]): Promise<number> {
  if (name === undefined || name === '--help' || name === 'help') {
    print(overview())
    return name === undefined ? 2 : 0
  }
  const command = commands.find((known) => known.name === name)
  if (command === undefined) {
    note(`there is no command "${name}"; \`strongroom --help\` lists them`)
    return 2
  }
  return await runCommand(command, args)
}

async function runCommand(entry: CommandEntry, args: readonly string[]): Promise<number> {
  const command = await entry.load()
  const subcommand = command.subcommands?.find(({ name }) => name === args[0])
  if (subcommand !== undefined) {
    return await runCommand({ ...subcommand, name: `${entry.name} ${subcommand.name}` }, args.slice(1))
  }
  if (ownWords(args).includes('--help')) {
    print(command.help.replace(/^\n|\n$/g, ''))
    return 0
  }
  try {
    return await command.run(args)
  } catch (error) {
    printError(error)
    if (!(error instanceof StrongroomError) || error.code !== 'SR_USAGE') return 1
    note(`\`strongroom ${entry.name} --help\` shows how it is used`)
    return 2
  }
}

/** Behind `--` stands the command line of another program. */
function ownWords(args: readonly string[]): readonly string[] {
  const end = args.indexOf('--')
  return end < 0 ? args : args.slice(0, end)
}

function overview(): string {
  const width = Math.max(...commands.map(({ name }) => name.length))
  return [
    'At-rest encryption for MariaDB whose keys only a key management service can open.',
    '',
    '  strongroom demo        see all of it on this machine, in a scratch directory',
    '',
    'Commands:',
    ...commands.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}`),
    '',
    'strongroom COMMAND --help tells more.',
  ].join('\n')
}

/** Resolves when the reader has what was written before; also when nobody reads any more. */
async function flushed(stream: NodeJS.WriteStream): Promise<void> {
  await new Promise<void>((resolve) => {
    stream.once('error', () => {
      resolve()
    })
    stream.write('', () => {
      resolve()
    })
  })
}

const exitCode = await run(process.argv.slice(2))
// What a slow reader of a pipe has not taken yet is lost with us.
await Promise.all([flushed(process.stdout), flushed(process.stderr)])
process.exit(exitCode)
