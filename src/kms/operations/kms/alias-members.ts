import { z } from 'zod'
import { aliasArn } from '../../arn.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import type { Key } from '../../state/keys.ts'
import type { State } from '../call.ts'

/** Amazon's quota. */
const aliasesPerKey = 50

export const aliasName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^[a-zA-Z0-9:/_-]+$/)

export function requireAliasPrefix(name: string): void {
  if (name.startsWith('alias/')) return
  throw new AwsException(
    'ValidationException',
    'Alias must start with the prefix "alias/". Please see ' +
      'https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
  )
}

/** `target` is to be the key id or ARN of the key that an alias is for. */
export function requireNoAlias(target: string): void {
  if (/^(arn:[^/]*:)?alias\//.test(target)) {
    throw new AwsException('ValidationException', 'Aliases must refer to keys. Not aliases')
  }
}

/** The key that an alias is for now. */
export function keyOfAlias(name: string, state: State): Key {
  const keyId = state.aliases.keyIdOf(name)
  const key = keyId === undefined ? undefined : state.keys.get(keyId)
  if (key === undefined) {
    throw new AwsException('NotFoundException', `Alias ${aliasArn(state.account, name)} is not found.`)
  }
  return key
}

export function requireRoomForAlias(key: Key, state: State): void {
  if (state.aliases.ofKey(key.keyId).size >= aliasesPerKey) {
    throw new AwsException('LimitExceededException', `A key has at most ${aliasesPerKey} aliases.`)
  }
}
