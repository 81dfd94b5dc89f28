import {
  CreateGrantCommand,
  DecryptCommand,
  DescribeKeyCommand,
  type DescribeKeyCommandOutput,
  EncryptCommand,
  GenerateDataKeyCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import { StrongroomError } from '../../errors.ts'
import type { DescribedMasterKey, MasterKeyExamination, Problem } from '../examination.ts'
import type { EncryptionContext } from '../wrapped-key.ts'
import { hasBody } from './whole-answer.ts'

/** The KMS as one caller asks it. */
export interface KmsToExamine {
  /** As configured; undefined: none is. */
  readonly name: string | undefined
  readonly client: KMSClient
  /** Sends within the request time-out; throws what a StrongroomError says of it. */
  readonly send: <T>(masterKey: string, send: (signal: AbortSignal) => Promise<T>) => Promise<T>
}

export type KmsExamination = Pick<MasterKeyExamination, 'described' | 'needed' | 'needless' | 'clockAhead'>

/**
 * Describes master keys, and tries what the caller may do to the configured one, with `DryRun`: KMS then checks the request
 * and makes nothing (KMS developer guide, "Testing your permissions"). Refused attempts are in the KMS's log all the same.
 */
export async function examineKms(
  kms: KmsToExamine,
  context: EncryptionContext | undefined,
  others: readonly string[],
): Promise<KmsExamination> {
  const { name } = kms
  const clock: { ahead?: number } = {}
  const [first = name, ...rest] = name === undefined ? others : [name]
  if (first === undefined) return { described: [], needed: {}, needless: [] }
  const head = await describe(kms, first, clock)
  const described = [head]
  if (isWithoutAnswer(head)) return { described, needed: {}, needless: [], ...clockOf(clock) }
  for (const arn of name === undefined ? rest : others) {
    if (arn !== head.arn && arn !== head.name) described.push(await describe(kms, arn, clock))
  }
  const nothing: Rights = { needed: {}, needless: [] }
  const { needed, needless } =
    name === undefined ? nothing : await tryRights(kms, name, { context, arn: head.arn })
  return { described, needed: { ...mayDescribe(head), ...needed }, needless, ...clockOf(clock) }
}

function mayDescribe({ problem }: DescribedMasterKey): Record<string, Problem | null> {
  if (problem === undefined) return { 'kms:DescribeKey': null }
  return problem.code === 'SR_KMS_ACCESS_DENIED' ? { 'kms:DescribeKey': problem } : {}
}

async function describe(
  { client, send }: KmsToExamine,
  name: string,
  clock: { ahead?: number },
): Promise<DescribedMasterKey> {
  const command = new DescribeKeyCommand({ KeyId: name })
  noteClock(command.middlewareStack, clock)
  try {
    return describedFrom(name, await send(name, (abortSignal) => client.send(command, { abortSignal })))
  } catch (error) {
    return { name, problem: problemOf(error) }
  }
}

function describedFrom(
  name: string,
  { KeyMetadata: metadata }: DescribeKeyCommandOutput,
): DescribedMasterKey {
  return {
    name,
    ...(metadata?.Arn !== undefined && { arn: metadata.Arn }),
    ...(metadata?.KeyState !== undefined && { state: metadata.KeyState }),
    ...(metadata?.DeletionDate !== undefined && { deletionDate: metadata.DeletionDate.toISOString() }),
    ...(metadata?.ValidTo !== undefined && { validTo: metadata.ValidTo.toISOString() }),
  }
}

interface Tried {
  readonly context: EncryptionContext | undefined
  /** Of the master key, as far as it is known. */
  readonly arn: string | undefined
}

type Rights = Pick<KmsExamination, 'needed' | 'needless'>

async function tryRights(kms: KmsToExamine, keyId: string, { context, arn }: Tried): Promise<Rights> {
  const common = { KeyId: keyId, EncryptionContext: context, DryRun: true }
  const attempt = async (send: (options: { abortSignal: AbortSignal }) => Promise<unknown>) =>
    await outcomeOf(kms, keyId, send)
  const { client } = kms

  const make = new GenerateDataKeyWithoutPlaintextCommand({ ...common, KeySpec: 'AES_256' })
  const open = new DecryptCommand({ ...common, DryRunModifiers: ['IGNORE_CIPHERTEXT'] })
  const needed = {
    'kms:GenerateDataKeyWithoutPlaintext': await attempt((options) => client.send(make, options)),
    'kms:Decrypt': await attempt((options) => client.send(open, options)),
  }
  // A KMS that has never answered to a dry run as such may take none of them for one, and do what it is asked.
  if (!Object.values(needed).includes('allowed')) return { needed: judged(needed), needless: [] }

  const encrypt = new EncryptCommand({ ...common, Plaintext: Buffer.alloc(1) })
  const readable = new GenerateDataKeyCommand({ ...common, KeySpec: 'AES_256' })
  const grant = grantToAccount(arn)
  const tried = {
    'kms:Encrypt': await attempt((options) => client.send(encrypt, options)),
    'kms:GenerateDataKey': await attempt((options) => client.send(readable, options)),
    ...(grant && { 'kms:CreateGrant': await attempt((options) => client.send(grant, options)) }),
  }
  const needless = Object.entries(tried).flatMap(([action, outcome]) =>
    outcome === 'allowed' ? [action] : [],
  )
  return { needed: judged(needed), needless }
}

/** The state of the key, and a KMS that does not know dry runs, say nothing about rights. */
function judged(outcomes: Readonly<Record<string, 'allowed' | Problem>>): Record<string, Problem | null> {
  return Object.fromEntries(
    Object.entries(outcomes).flatMap(([action, outcome]): [string, Problem | null][] => {
      if (outcome === 'allowed') return [[action, null]]
      return outcome.code === 'SR_KMS_ACCESS_DENIED' ? [[action, outcome]] : []
    }),
  )
}

/** Of a grantee that exists for certain: the key's own account. CreateGrant takes no alias. */
function grantToAccount(arn: string | undefined): CreateGrantCommand | undefined {
  const [, partition, account] = /^arn:([^:]+):kms:[^:]+:(\d{12}):/.exec(arn ?? '') ?? []
  if (partition === undefined || account === undefined) return undefined
  const GranteePrincipal = `arn:${partition}:iam::${account}:root`
  return new CreateGrantCommand({ KeyId: arn, GranteePrincipal, Operations: ['Decrypt'], DryRun: true })
}

/** `DryRunOperationException` says that the request would have been carried out. */
async function outcomeOf(
  { send }: KmsToExamine,
  keyId: string,
  call: (options: { abortSignal: AbortSignal }) => Promise<unknown>,
): Promise<'allowed' | Problem> {
  try {
    await send(keyId, (abortSignal) => call({ abortSignal }))
    return { code: 'SR_KMS_FAILED', message: 'the KMS does not know dry runs' }
  } catch (error) {
    const cause = error instanceof StrongroomError ? error.cause : error
    if (cause instanceof Error && cause.name === 'DryRunOperationException') return 'allowed'
    return problemOf(error)
  }
}

/** The KMS is not to be asked more: each question would wait as long. */
function isWithoutAnswer({ problem }: DescribedMasterKey): boolean {
  return ['SR_KMS_UNREACHABLE', 'SR_KMS_CREDENTIALS', 'SR_KMS_REGION_UNKNOWN', 'SR_KMS_FAILED'].includes(
    problem?.code ?? '',
  )
}

/** Reads the `Date` of an answer, which refusals have too. It has whole seconds, so half of one is what it lacks. */
function noteClock(stack: DescribeKeyCommand['middlewareStack'], clock: { ahead?: number }): void {
  stack.add(
    (next) => async (args) => {
      const sent = Date.now()
      const result = await next(args)
      const came = Date.now()
      const said = Date.parse(dateOf(result.response) ?? '')
      if (!Number.isNaN(said)) clock.ahead = Math.round((sent + came) / 2 - (said + 500))
      return result
    },
    { step: 'deserialize', priority: 'low', name: 'noteClock' },
  )
}

function dateOf(response: unknown): string | undefined {
  if (!hasBody(response) || !('headers' in response)) return undefined
  const { headers } = response
  if (typeof headers !== 'object' || headers === null || !('date' in headers)) return undefined
  return typeof headers.date === 'string' ? headers.date : undefined
}

function clockOf({ ahead }: { ahead?: number }): { clockAhead?: number } {
  return ahead === undefined ? {} : { clockAhead: ahead }
}

function problemOf(error: unknown): Problem {
  if (error instanceof StrongroomError) return { code: error.code, message: error.message }
  throw error
}
