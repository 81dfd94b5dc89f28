import {
  CreateAccessKeyCommand,
  CreateRoleCommand,
  CreateUserCommand,
  DeleteAccessKeyCommand,
  TagRoleCommand,
  TagUserCommand,
  UpdateAssumeRolePolicyCommand,
} from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateKeyCommand,
  PutKeyPolicyCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateKeyDescriptionCommand,
} from '@aws-sdk/client-kms'
import type { AwsAccess, AwsCredentials } from '../aws/access.ts'
import type { Call } from './calls.ts'

/** What an answer has that later calls, or a file, need. */
export interface Made {
  readonly masterKey?: { readonly keyId: string; readonly arn: string }
  readonly accessKey?: AwsCredentials
}

/** Sends one call as it is. Throws what the SDK throws. */
export async function send(call: Call, { iam, kms }: AwsAccess): Promise<Made> {
  switch (call.operation) {
    case 'CreateKey': {
      const { KeyMetadata } = await kms.send(new CreateKeyCommand(call.input))
      const { KeyId, Arn } = KeyMetadata ?? {}
      if (KeyId === undefined || Arn === undefined) throw new Error('the answer to CreateKey lacks the key')
      return { masterKey: { keyId: KeyId, arn: Arn } }
    }
    case 'CreateAccessKey': {
      const { AccessKey } = await iam.send(new CreateAccessKeyCommand(call.input))
      const { AccessKeyId, SecretAccessKey } = AccessKey ?? {}
      if (AccessKeyId === undefined || SecretAccessKey === undefined)
        throw new Error('the answer to CreateAccessKey lacks the access key')
      return { accessKey: { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } }
    }
    case 'CreateUser':
      await iam.send(new CreateUserCommand(call.input))
      return {}
    case 'TagUser':
      await iam.send(new TagUserCommand(call.input))
      return {}
    case 'CreateRole':
      await iam.send(new CreateRoleCommand(call.input))
      return {}
    case 'TagRole':
      await iam.send(new TagRoleCommand(call.input))
      return {}
    case 'UpdateAssumeRolePolicy':
      await iam.send(new UpdateAssumeRolePolicyCommand(call.input))
      return {}
    case 'DeleteAccessKey':
      await iam.send(new DeleteAccessKeyCommand(call.input))
      return {}
    case 'CreateAlias':
      await kms.send(new CreateAliasCommand(call.input))
      return {}
    case 'PutKeyPolicy':
      await kms.send(new PutKeyPolicyCommand(call.input))
      return {}
    case 'TagResource':
      await kms.send(new TagResourceCommand(call.input))
      return {}
    case 'UntagResource':
      await kms.send(new UntagResourceCommand(call.input))
      return {}
    case 'UpdateKeyDescription':
      await kms.send(new UpdateKeyDescriptionCommand(call.input))
      return {}
  }
}
