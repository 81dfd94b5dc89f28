import type {
  CreateAccessKeyCommandInput,
  CreateRoleCommandInput,
  CreateUserCommandInput,
  DeleteAccessKeyCommandInput,
  TagRoleCommandInput,
  TagUserCommandInput,
  UpdateAssumeRolePolicyCommandInput,
} from '@aws-sdk/client-iam'
import type {
  CreateAliasCommandInput,
  CreateKeyCommandInput,
  PutKeyPolicyCommandInput,
  TagResourceCommandInput,
  UntagResourceCommandInput,
  UpdateKeyDescriptionCommandInput,
} from '@aws-sdk/client-kms'

/** One request that changes something, as data: it is shown, written to a script, or sent. */
export type Call =
  | { readonly service: 'iam'; readonly operation: 'CreateUser'; readonly input: CreateUserCommandInput }
  | { readonly service: 'iam'; readonly operation: 'TagUser'; readonly input: TagUserCommandInput }
  | { readonly service: 'iam'; readonly operation: 'CreateRole'; readonly input: CreateRoleCommandInput }
  | { readonly service: 'iam'; readonly operation: 'TagRole'; readonly input: TagRoleCommandInput }
  | {
      readonly service: 'iam'
      readonly operation: 'UpdateAssumeRolePolicy'
      readonly input: UpdateAssumeRolePolicyCommandInput
    }
  | {
      readonly service: 'iam'
      readonly operation: 'CreateAccessKey'
      readonly input: CreateAccessKeyCommandInput
    }
  | {
      readonly service: 'iam'
      readonly operation: 'DeleteAccessKey'
      readonly input: DeleteAccessKeyCommandInput
    }
  | { readonly service: 'kms'; readonly operation: 'CreateKey'; readonly input: CreateKeyCommandInput }
  | { readonly service: 'kms'; readonly operation: 'CreateAlias'; readonly input: CreateAliasCommandInput }
  | { readonly service: 'kms'; readonly operation: 'PutKeyPolicy'; readonly input: PutKeyPolicyCommandInput }
  | { readonly service: 'kms'; readonly operation: 'TagResource'; readonly input: TagResourceCommandInput }
  | {
      readonly service: 'kms'
      readonly operation: 'UntagResource'
      readonly input: UntagResourceCommandInput
    }
  | {
      readonly service: 'kms'
      readonly operation: 'UpdateKeyDescription'
      readonly input: UpdateKeyDescriptionCommandInput
    }

/** Stands for the id that the answer to CreateKey will have. */
export const newKeyId = '<KeyId of CreateKey>'
