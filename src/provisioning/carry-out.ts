import { setTimeout } from 'node:timers/promises'
import type { AwsAccess } from '../aws/access.ts'
import { awsErrorName } from '../aws/errors.ts'
import { messageOf, StrongroomError } from '../errors.ts'
import { type Call, newKeyId } from './calls.ts'
import type { CredentialsFile } from './credentials-file.ts'
import { type Made, send } from './send.ts'

export interface CarryOut {
  readonly access: AwsAccess
  /** Never sends a request twice: what CreateKey and CreateAccessKey make twice would be there twice. */
  readonly once: AwsAccess
  /** For the access key, if one is made. */
  readonly file: CredentialsFile | undefined
  /** Ids of the access keys that the user has. */
  readonly accessKeyIds: readonly string[]
  /** Milliseconds until AWS knows in one service what was made in another. */
  readonly patience: number
  readonly onDone: (call: Call) => void
  readonly onWait: (why: string) => void
}

/**
 * Makes the calls, one after the other. Ended at any point, the next run goes on from there. Returns the ARN of the master key, if
 * one was made. Throws SR_AWS_… and SR_PROVISION_FILE.
 */
export async function carryOut(calls: readonly Call[], options: CarryOut): Promise<string | undefined> {
  let made: Made['masterKey']
  for (const call of calls) {
    const ready = withKeyId(call, made?.keyId)
    if (ready.operation === 'CreateAccessKey') await makeAccessKey(ready, options)
    else {
      const { masterKey } = await sendInTime(ready, options)
      made = masterKey ?? made
    }
    options.onDone(ready)
  }
  return made?.arn
}

function withKeyId(call: Call, keyId: string | undefined): Call {
  if (call.operation !== 'CreateAlias' || call.input.TargetKeyId !== newKeyId) return call
  return { ...call, input: { ...call.input, TargetKeyId: keyId } }
}

async function makeAccessKey(
  call: Call & { operation: 'CreateAccessKey' },
  { access, once, file, accessKeyIds }: CarryOut,
): Promise<void> {
  const userName = call.input.UserName ?? ''
  if (file === undefined) throw new Error('an access key needs a file')
  if (file.read().state === 'absent') file.begin(userName, accessKeyIds)
  const { accessKey } = await once.do(doing(call), () => send(call, once))
  if (accessKey === undefined) throw new Error('CreateAccessKey made no access key')
  try {
    file.finish(userName, accessKey)
  } catch (error) {
    const { accessKeyId: AccessKeyId } = accessKey
    const deletion = {
      service: 'iam',
      operation: 'DeleteAccessKey',
      input: { UserName: userName, AccessKeyId },
    } as const
    await access.do(doing(deletion), () => send(deletion, access))
    throw new StrongroomError(
      'SR_PROVISION_FILE',
      `${messageOf(error)}; the access key ${AccessKeyId} that was for it is deleted again`,
      { cause: error },
    )
  }
}

/**
 * KMS may not know yet whom IAM has made a moment ago, and then takes no policy that names him; nor everywhere the key that it has made
 * itself: https://docs.aws.amazon.com/kms/latest/developerguide/accessing-kms.html#programming-eventual-consistency
 */
async function sendInTime(call: Call, { access, once, patience, onWait }: CarryOut): Promise<Made> {
  const by = call.operation === 'CreateKey' ? once : access
  const end = Date.now() + patience
  for (let isFirst = true; ; isFirst = false) {
    try {
      return await by.do(doing(call), () => send(call, by))
    } catch (error) {
      const unknown = unknownYet(call, error)
      if (unknown === undefined || Date.now() >= end) throw error
      if (isFirst) onWait(`waiting until KMS knows ${unknown}`)
    }
    await setTimeout(pause)
  }
}

function unknownYet({ operation }: Call, error: unknown): string | undefined {
  if (/invalid principal/i.test(messageOf(error))) return 'whom IAM has made'
  return operation === 'CreateAlias' && awsErrorName(error) === 'NotFoundException'
    ? 'the master key everywhere'
    : undefined
}

const pause = 1000

/** "cannot …" in messages. */
export function doing({ operation, input }: Call): string {
  switch (operation) {
    case 'CreateUser':
      return `create the IAM user ${input.UserName ?? ''}`
    case 'TagUser':
      return `tag the IAM user ${input.UserName ?? ''}`
    case 'CreateRole':
      return `create the IAM role ${input.RoleName ?? ''}`
    case 'TagRole':
      return `tag the IAM role ${input.RoleName ?? ''}`
    case 'UpdateAssumeRolePolicy':
      return `say who may assume the IAM role ${input.RoleName ?? ''}`
    case 'CreateAccessKey':
      return `make an access key of ${input.UserName ?? ''}`
    case 'DeleteAccessKey':
      return `delete the access key ${input.AccessKeyId ?? ''} of ${input.UserName ?? ''}`
    case 'CreateKey':
      return 'create the master key'
    case 'CreateAlias':
      return `give the master key the name ${input.AliasName ?? ''}`
    case 'PutKeyPolicy':
      return `put the policy of the master key ${input.KeyId ?? ''}`
    case 'TagResource':
    case 'UntagResource':
      return `change the tags of the master key ${input.KeyId ?? ''}`
    case 'UpdateKeyDescription':
      return `describe the master key ${input.KeyId ?? ''}`
  }
}
