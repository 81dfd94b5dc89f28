import { StrongroomError } from '../../../errors.ts'
import { verifyDataDirectory } from '../../../kms/audit/evidence.ts'
import type { Break, Verdict } from '../../../kms/audit/trail-verifier.ts'
import { verifyFiles } from '../../../kms/audit/verify-trail.ts'
import { systemReason } from '../../../kms/system-reason.ts'
import { parseArguments } from '../../arguments.ts'
import type { Command } from '../../command.ts'
import { print } from '../../terminal.ts'
import { passphraseHelp } from './seal-options.ts'

const help = `  strongroom kms audit verify --data /var/lib/strongroom-kms
  strongroom kms audit verify audit-trail.000000000001.jsonl audit-trail.jsonl

Usage: strongroom kms audit verify --data DIR [--json]
       strongroom kms audit verify [--json] FILE...

Checks that no record of an audit trail was removed, changed, moved or put in, and names each that was, by file and line.
With DIR, the data directory of a service that may be running, it has the key and knows where the trail ends. With
copies of files, the oldest first, it has neither: what was cut off the end does not show, and who calculated the hashes
of all that follows a change anew is not found out. Compare the last hash with one that you noted elsewhere.

  --data DIR   the data directory of the service
  --json       print the findings as JSON
  --passphrase-file FILE   of a service that does not run and whose root key is sealed by a passphrase

Exits 0 when all is as it was written, 1 when it is not.
`

/** `strongroom kms audit`: what auditors need. */
export const audit: Command = {
  help,
  run([verb, ...args]) {
    if (verb === 'verify') return verify(args)
    throw new StrongroomError(
      'SR_USAGE',
      verb === undefined ? 'a verb is missing' : `there is no verb "${verb}"`,
    )
  },
}

async function verify(args: readonly string[]): Promise<number> {
  const { values, positionals } = parseArguments({
    args: [...args],
    options: { data: { type: 'string' }, json: { type: 'boolean' }, 'passphrase-file': { type: 'string' } },
    allowPositionals: true,
  })
  const { data } = values
  if ((data === undefined || data === '') === (positionals.length === 0)) {
    throw new StrongroomError('SR_USAGE', 'either --data DIR or files have to be named')
  }
  const verdict = await verdictOn(data, positionals, values['passphrase-file'])
  if (values.json === true) print(JSON.stringify({ ...verdict, keyed: data !== undefined }, undefined, 2))
  else for (const line of report(verdict, data !== undefined)) print(line)
  return verdict.breaks.length === 0 ? 0 : 1
}

async function verdictOn(
  data: string | undefined,
  files: readonly string[],
  passphraseFile: string | undefined,
): Promise<Verdict> {
  try {
    return await (data === undefined
      ? verifyFiles(files, {})
      : verifyDataDirectory(data, passphraseHelp(passphraseFile)))
  } catch (error) {
    if (error instanceof StrongroomError) throw error
    throw new StrongroomError('SR_KMS_AUDIT_TRAIL', `cannot read the audit trail (${systemReason(error)})`, {
      cause: error,
    })
  }
}

function report(verdict: Verdict, keyed: boolean): string[] {
  const { records, files, first, last, breaks, notes } = verdict
  return [
    `${count(records, 'record')} in ${count(files, 'file')}`,
    ...(first === undefined || last === undefined
      ? []
      : [
          `first: record ${first.sequence} of ${first.time ?? 'an unknown time'}`,
          `last:  record ${last.sequence} of ${last.time ?? 'an unknown time'}, hash ${last.hash}`,
        ]),
    ...notes.map((note) => `note: ${note}`),
    ...breaks.map((found) => `broken: ${place(found)} ${found.what}`),
    breaks.length > 0
      ? `${count(breaks.length, 'finding')}: this is not the trail that was written`
      : keyed
        ? 'whole: every record is as the service wrote it, up to the last'
        : 'whole as a chain of hashes; checked without the key, and without knowing which record is the last',
  ]
}

function place({ file, line, toLine }: Break): string {
  if (line === 0) return file === '' ? 'the trail:' : `${file}:`
  return line === toLine ? `${file}, line ${line}:` : `${file}, lines ${line} to ${toLine}:`
}

function count(number: number, what: string): string {
  return `${number} ${what}${number === 1 ? '' : 's'}`
}
