import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { globSync } from 'node:fs'
import { join } from 'node:path'

/**
 * `node scripts/soak.ts [NAME…]`: runs the long tests, one after another, all of them or those named (`fuzz` is
 * test/soak/fuzz.ts). Each says what it saw, and ends with another status than 0 when it is not as it has to be.
 * A file whose name ends with -service.ts is a part of one.
 */
const directory = join(import.meta.dirname, '..', 'test', 'soak')
const all = globSync('*.ts', { cwd: directory })
  .filter((file) => !file.endsWith('-service.ts'))
  .map((file) => file.replace(/\.ts$/, ''))
  .sort()
const wanted = process.argv.slice(2)
const unknown = wanted.filter((name) => !all.includes(name))
if (unknown.length > 0) {
  console.error(`usage: node scripts/soak.ts [${all.join('|')}]…`)
  process.exit(2)
}

const failed: string[] = []
for (const name of wanted.length === 0 ? all : wanted) {
  console.log(`▶ ${name}`)
  if (!(await run(name))) failed.push(name)
}
console.log(failed.length === 0 ? 'all passed' : `FAILED: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1

async function run(name: string): Promise<boolean> {
  const args = ['--disable-warning=ExperimentalWarning', join(directory, `${name}.ts`)]
  const child = spawn(process.execPath, args, { stdio: 'inherit' })
  await once(child, 'close')
  return child.exitCode === 0
}
