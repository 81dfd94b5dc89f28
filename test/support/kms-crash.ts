import {
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DecryptCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  GenerateDataKeyCommand,
  GetKeyPolicyCommand,
  KMSClient,
  ListAliasesCommand,
  ListGrantsCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { randomBytes, randomInt } from 'node:crypto'
import type { TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { type Daemon, startDaemon } from '../../src/cli/demo/daemon.ts'
import { readRootAccessKey } from './kms-service.ts'
import { scratchDirectory } from './scratch.ts'
import { strongroom } from './strongroom.ts'

const rootArn = 'arn:aws:iam::111122223333:root'
const loaders = 6

/** What the service has acknowledged of one key, and what it was asked for when it was killed. */
interface KnownKey {
  readonly keyId: string
  readonly aliases: string[]
  readonly grants: string[]
  readonly blobs: { readonly blob: Uint8Array; readonly plaintext: string; readonly context: string }[]
  /** The last acknowledged value, and one that may have been stored without an answer. */
  policy: { sure: number; perhaps: number }
  enabled: { sure: boolean; perhaps: boolean }
}

export interface CrashRun {
  readonly keys: number
  readonly blobs: number
  readonly grants: number
  readonly aliases: number
  /** Rounds in which requests were answered and others were cut off. */
  readonly cutInTheMiddle: number
}

/** Kills a service again and again under load, and then holds it to all that it ever acknowledged. */
export async function surviveCrashes(t: TestContext, rounds: number): Promise<CrashRun> {
  const directory = scratchDirectory(t)
  const data = `${directory}/data`
  const known: KnownKey[] = []
  let cutInTheMiddle = 0
  let daemon = await start(directory, data)
  t.after(() => daemon.stop('SIGKILL'))
  for (let round = 0; round < rounds; round++) {
    const before = known.reduce((sum, key) => sum + key.blobs.length, known.length)
    const load = Array.from({ length: loaders }, () => loadUntilItEnds(client(daemon, data), known))
    await setTimeout(randomInt(5, 400))
    await daemon.stop('SIGKILL')
    const cut = (await Promise.all(load)).filter((wasCut) => wasCut).length
    if (cut > 0 && known.reduce((sum, key) => sum + key.blobs.length, known.length) > before) cutInTheMiddle++
    daemon = await start(directory, data)
  }
  const kms = client(daemon, data)
  for (const key of known) await holdTo(key, kms)
  await daemon.stop()
  const verified = await strongroom(['kms', 'audit', 'verify', '--data', data])
  assert.equal(verified.code, 0, verified.stdout + verified.stderr)
  const count = (of: (key: KnownKey) => unknown[]): number =>
    known.reduce((sum, key) => sum + of(key).length, 0)
  return {
    keys: known.length,
    blobs: count(({ blobs }) => blobs),
    grants: count(({ grants }) => grants),
    aliases: count(({ aliases }) => aliases),
    cutInTheMiddle,
  }
}

function start(directory: string, data: string): Promise<Daemon> {
  const args = ['kms', '--data', data, '--listen', '127.0.0.1:0', '--log-level', 'warn']
  return startDaemon({ args, directory, name: 'kms' })
}

function client(daemon: Daemon, data: string): KMSClient {
  const credentials = readRootAccessKey(data)
  return new KMSClient({ endpoint: daemon.url, region: 'us-east-1', credentials, maxAttempts: 1 })
}

/** One thing after the other on a key of its own, until the connection breaks; whether it broke within a request. */
async function loadUntilItEnds(kms: KMSClient, known: KnownKey[]): Promise<boolean> {
  try {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
    const key: KnownKey = {
      keyId: KeyMetadata?.KeyId ?? '',
      aliases: [],
      grants: [],
      blobs: [],
      policy: { sure: 0, perhaps: 0 },
      enabled: { sure: true, perhaps: true },
    }
    known.push(key)
    for (let turn = 1; ; turn++) await change(key, turn, kms)
  } catch (error) {
    // An answer that says no is a fault: nothing here may be refused.
    if (error instanceof Error && '$metadata' in error && hasStatus(error.$metadata)) throw error
    return true
  } finally {
    kms.destroy()
  }
}

async function change(key: KnownKey, turn: number, kms: KMSClient): Promise<void> {
  const KeyId = key.keyId
  await encrypt(key, turn, kms)
  const AliasName = `alias/${randomBytes(8).toString('hex')}`
  await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId }))
  key.aliases.push(AliasName)
  const grant = { KeyId, GranteePrincipal: rootArn, Operations: ['Decrypt' as const] }
  const { GrantId = '' } = await kms.send(new CreateGrantCommand(grant))
  key.grants.push(GrantId)
  key.policy.perhaps = turn
  await kms.send(new PutKeyPolicyCommand({ KeyId, Policy: policyNumber(turn) }))
  key.policy.sure = turn
  for (const enabled of [false, true]) {
    key.enabled.perhaps = enabled
    await kms.send(enabled ? new EnableKeyCommand({ KeyId }) : new DisableKeyCommand({ KeyId }))
    key.enabled.sure = enabled
  }
}

async function encrypt(key: KnownKey, turn: number, kms: KMSClient): Promise<void> {
  const context = `${key.keyId} ${turn}`
  const EncryptionContext = { context }
  const plaintext = randomBytes(24).toString('hex')
  const Plaintext = Buffer.from(plaintext)
  const one = await kms.send(new EncryptCommand({ KeyId: key.keyId, Plaintext, EncryptionContext }))
  key.blobs.push({ blob: one.CiphertextBlob ?? Buffer.alloc(0), plaintext, context })
  const made = await kms.send(
    new GenerateDataKeyCommand({ KeyId: key.keyId, KeySpec: 'AES_256', EncryptionContext }),
  )
  const blob = made.CiphertextBlob ?? Buffer.alloc(0)
  key.blobs.push({ blob, plaintext: Buffer.from(made.Plaintext ?? []).toString('latin1'), context })
}

async function holdTo(key: KnownKey, kms: KMSClient): Promise<void> {
  const KeyId = key.keyId
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId }))
  const enabled = KeyMetadata?.Enabled ?? false
  assert.ok(
    enabled === key.enabled.sure || enabled === key.enabled.perhaps,
    `${KeyId} is in no state it was put in`,
  )
  const { Policy = '' } = await kms.send(new GetKeyPolicyCommand({ KeyId }))
  const { sure, perhaps } = key.policy
  const isKnown = [sure, perhaps].some((turn) => Policy === policyNumber(turn)) || sure === 0
  assert.ok(isKnown, `${KeyId} has a policy that it was never given`)
  const { Aliases = [] } = await kms.send(new ListAliasesCommand({ KeyId }))
  const aliases = new Set(Aliases.map(({ AliasName }) => AliasName))
  assert.deepEqual(
    key.aliases.filter((alias) => !aliases.has(alias)),
    [],
  )
  const { Grants = [] } = await kms.send(new ListGrantsCommand({ KeyId, Limit: 100 }))
  const grants = new Set(Grants.map(({ GrantId }) => GrantId))
  assert.deepEqual(
    key.grants.filter((grant) => !grants.has(grant)),
    [],
  )
  await kms.send(new EnableKeyCommand({ KeyId }))
  for (const { blob, plaintext, context } of key.blobs) {
    const opened = await kms.send(
      new DecryptCommand({ CiphertextBlob: blob, EncryptionContext: { context } }),
    )
    assert.equal(Buffer.from(opened.Plaintext ?? []).toString('latin1'), plaintext)
  }
}

function policyNumber(turn: number): string {
  const statement = {
    Sid: `turn${turn}`,
    Effect: 'Allow',
    Principal: { AWS: rootArn },
    Action: 'kms:*',
    Resource: '*',
  }
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
}

function hasStatus(metadata: unknown): boolean {
  return (
    typeof metadata === 'object' &&
    metadata !== null &&
    'httpStatusCode' in metadata &&
    typeof metadata.httpStatusCode === 'number'
  )
}
