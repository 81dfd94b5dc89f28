import type { AwsAccess } from '../../../aws/access.ts'
import { messageOf, StrongroomError } from '../../../errors.ts'
import { DutyFiles } from '../../../master-key-window/duty-files.ts'
import type { DutyRecord } from '../../../master-key-window/duty-record.ts'
import { usesOf } from '../../../master-key-window/key-uses.ts'
import { findKey, type FoundKey, nameOf, setEnabled } from '../../../master-key-window/master-keys.ts'
import type { FoundDuty } from '../../../master-key-window/recover.ts'
import { parseArguments } from '../../arguments.ts'
import { awsAccessFrom, awsOptions, awsOptionsHelp } from '../../aws-options.ts'
import type { Command } from '../../command.ts'
import { note, print } from '../../terminal.ts'
import { callerOf } from './caller.ts'
import { closeLeftovers } from './leftovers.ts'
import { stateDirectoryFrom } from './state-option.ts'

const day = 24 * 3_600_000

interface Change {
  readonly verb: 'enable' | 'disable'
  readonly enabled: boolean
  readonly follows: string
}

export const enable = stateChange({
  verb: 'enable',
  enabled: true,
  follows:
    'every server whose user the key policy allows can start, and get new key ids, until `strongroom master-key disable`',
})

export const disable = stateChange({
  verb: 'disable',
  enabled: false,
  follows:
    'servers and agents that run go on with the keys that they hold; an agent that is started waits, and so does its server; new key ids are refused',
})

function stateChange(change: Change): Command {
  const { verb } = change
  return {
    help: `
  strongroom master-key ${verb} alias/mariadb

${verb === 'enable' ? 'Enables' : 'Disables'} a master key, waits until the KMS says so, and tells what follows. Nothing is wrong where it is so already.
KEY is an id, ARN, alias or alias ARN. Needs kms:DescribeKey and kms:${verb === 'enable' ? 'EnableKey' : 'DisableKey'}; who used the key in the last
24 hours is told where cloudtrail:LookupEvents is allowed.

  --json              for programs
  --state-directory DIR
                      where windows write down what they have to close
${awsOptionsHelp}
`,
    async run(args) {
      const { values, positionals } = parseArguments({
        args: [...args],
        allowPositionals: true,
        options: {
          ...awsOptions,
          json: { type: 'boolean', default: false },
          'state-directory': { type: 'string' },
        },
      })
      const [named, ...others] = positionals
      if (named === undefined || others.length > 0)
        throw new StrongroomError('SR_USAGE', `master-key ${verb} takes one key`)
      const access = awsAccessFrom(values)
      try {
        await carryOut(change, { named, access, values })
        return 0
      } finally {
        access.close()
      }
    },
  }
}

interface Request {
  readonly named: string
  readonly access: AwsAccess
  readonly values: {
    readonly json: boolean
    readonly 'state-directory'?: string | undefined
    readonly [option: string]: unknown
  }
}

async function carryOut(change: Change, request: Request): Promise<void> {
  const { named, access, values } = request
  const key = await findKey(access, named)
  if (change.enabled) {
    const { duties, directory } = await lookAtWindows(key, request)
    await callOffWatching(key, duties, directory)
    await setEnabled(access, key, true)
  } else {
    // First of all: no trouble with other windows is to keep a key enabled.
    await setEnabled(access, key, false)
    await lookAtWindows(key, request).catch((error: unknown) => {
      note(`what earlier windows of this host left open is not known: ${messageOf(error)}`)
    })
  }
  const state = change.enabled ? 'Enabled' : 'Disabled'
  const users = await usersOf(access, key)
  if (values.json) {
    print(JSON.stringify({ key: key.arn, named: key.named, state, before: key.state, usedBy: users }))
    return
  }
  const already = key.state === state ? ' (as it was)' : ''
  print(`master key ${nameOf(key)} is ${change.verb}d${already}: ${change.follows}`)
  if (users !== undefined && users.length > 0) print(`used in the last 24 hours by: ${users.join(', ')}`)
}

/** Closes what is left over, and tells of a window that is open on the key. Throws SR_USAGE, SR_AWS_…, SR_WINDOW_DUTY. */
async function lookAtWindows(
  key: FoundKey,
  { access, values }: Request,
): Promise<{ duties: readonly FoundDuty[]; directory: string }> {
  const directory = stateDirectoryFrom(values['state-directory'])
  const { duties } = await closeLeftovers(directory, await callerOf(access, values))
  for (const { record, outcome } of duties) {
    if (outcome !== 'held' || record.state === 'watching' || !isOn(key, record)) continue
    note(
      `a window on it is open (process ${record.holder.pid} on ${record.holder.host}), which disables it at ${new Date(record.endsAt).toISOString()}${record.state === 'opening' ? ', and may yet enable it: end that process' : ''}`,
    )
  }
  return { duties, directory }
}

/** A watchdog that looks whether a window's key stays disabled would disable it again. */
async function callOffWatching(
  key: FoundKey,
  duties: readonly FoundDuty[],
  directory: string,
): Promise<void> {
  for (const { record } of duties) {
    if (record.state === 'watching' && isOn(key, record)) await new DutyFiles(directory).remove(record.id)
  }
}

function isOn({ arn }: FoundKey, { target }: DutyRecord): boolean {
  return target.type === 'key' && target.keyArn === arn
}

/** With the keyring, where the requests named one. undefined: the trail is not to be read. */
async function usersOf(access: AwsAccess, { arn: keyArn }: FoundKey): Promise<string[] | undefined> {
  const now = Date.now()
  try {
    const { uses } = await usesOf(access, { keyArn, from: new Date(now - day), to: new Date(now + day) })
    const served = uses.filter(
      ({ operation, errorCode }) =>
        errorCode === undefined && ['Decrypt', 'GenerateDataKeyWithoutPlaintext'].includes(operation),
    )
    return [
      ...new Set(
        served.map(({ principal, encryptionContext: { 'strongroom-keyring': keyring } }) =>
          keyring === undefined ? principal : `${principal} (keyring ${keyring})`,
        ),
      ),
    ]
  } catch (error) {
    note(
      error instanceof StrongroomError && error.code === 'SR_AWS_REFUSED'
        ? 'who used it lately is not known: you may not read the audit trail (cloudtrail:LookupEvents)'
        : `who used it lately is not known: ${String(error)}`,
    )
    return undefined
  }
}
