import { z } from 'zod'
import { aliasArn } from '../../arn.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import { operation } from '../operation.ts'
import { aliasName, requireAliasPrefix, requireNoAlias, requireRoomForAlias } from './alias-members.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { requireKeyState } from './key-states.ts'
import { keyId } from './members.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html */
export const createAlias = operation({
  name: 'CreateAlias',
  readOnly: false,
  input: z.object({ AliasName: aliasName, TargetKeyId: keyId }),
  find({ AliasName, TargetKeyId }, { state }) {
    requireAliasPrefix(AliasName)
    if (AliasName === 'alias/' || AliasName.startsWith('alias/aws/')) {
      throw new AwsException(
        'InvalidAliasNameException',
        `${AliasName} is reserved or has no name after its prefix`,
      )
    }
    requireNoAlias(TargetKeyId)
    return findKeyWithoutAlias(TargetKeyId, state)
  },
  permissions: ({ AliasName }, key, { state }) => [
    { action: 'kms:CreateAlias', resource: aliasArn(state.account, AliasName) },
    { action: 'kms:CreateAlias', key },
  ],
  run({ AliasName }, key, { state }) {
    requireKeyState('CreateAlias', key)
    if (state.aliases.has(AliasName)) {
      throw new AwsException(
        'AlreadyExistsException',
        `An alias with the name ${aliasArn(state.account, AliasName)} already exists`,
      )
    }
    requireRoomForAlias(key, state)
    state.aliases.create(AliasName, key.keyId)
    return undefined
  },
})
