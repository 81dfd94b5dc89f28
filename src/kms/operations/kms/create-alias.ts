import { z } from 'zod'
import { aliasArn } from '../../arn.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { keyId } from './members.ts'

const aliasesPerKey = 50

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html */
export const createAlias = operation({
  name: 'CreateAlias',
  readOnly: false,
  input: z.object({
    AliasName: z
      .string()
      .min(1)
      .max(256)
      .regex(/^[a-zA-Z0-9:/_-]+$/),
    TargetKeyId: keyId,
  }),
  find(input, { state }) {
    requireAliasName(input.AliasName)
    if (/^(arn:[^/]*:)?alias\//.test(input.TargetKeyId)) {
      throw new AwsException('ValidationException', 'Aliases must refer to keys. Not aliases')
    }
    return findKeyWithoutAlias(input.TargetKeyId, state)
  },
  permissions: ({ AliasName }, key, { state }) => [
    { action: 'kms:CreateAlias', resource: aliasArn(state.account, AliasName) },
    { action: 'kms:CreateAlias', key },
  ],
  run({ AliasName }, key, { state }) {
    if (state.aliases.has(AliasName)) {
      throw new AwsException(
        'AlreadyExistsException',
        `An alias with the name ${aliasArn(state.account, AliasName)} already exists`,
      )
    }
    if (state.aliases.list({ keyId: key.keyId, after: '', limit: aliasesPerKey }).length === aliasesPerKey) {
      throw new AwsException('LimitExceededException', `A key has at most ${aliasesPerKey} aliases.`)
    }
    state.aliases.create(AliasName, key.keyId)
    return undefined
  },
})

function requireAliasName(name: string): void {
  if (!name.startsWith('alias/')) {
    throw new AwsException(
      'ValidationException',
      'Alias must start with the prefix "alias/". Please see ' +
        'https://docs.aws.amazon.com/kms/latest/developerguide/kms-alias.html',
    )
  }
  if (name === 'alias/' || name.startsWith('alias/aws/')) {
    throw new AwsException('InvalidAliasNameException', `${name} is reserved or has no name after its prefix`)
  }
}
