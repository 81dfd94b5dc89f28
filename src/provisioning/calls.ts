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

/** What each takes. */
interface Inputs {
  readonly iam: {
    readonly CreateUser: CreateUserCommandInput
    readonly TagUser: TagUserCommandInput
    readonly CreateRole: CreateRoleCommandInput
    readonly TagRole: TagRoleCommandInput
    readonly UpdateAssumeRolePolicy: UpdateAssumeRolePolicyCommandInput
    readonly CreateAccessKey: CreateAccessKeyCommandInput
    readonly DeleteAccessKey: DeleteAccessKeyCommandInput
  }
  readonly kms: {
    readonly CreateKey: CreateKeyCommandInput
    readonly CreateAlias: CreateAliasCommandInput
    readonly PutKeyPolicy: PutKeyPolicyCommandInput
    readonly TagResource: TagResourceCommandInput
    readonly UntagResource: UntagResourceCommandInput
    readonly UpdateKeyDescription: UpdateKeyDescriptionCommandInput
  }
}

/** One request that changes something, as data: it is shown, written to a script, or sent. */
export type Call = { [Service in keyof Inputs]: CallOf<Service> }[keyof Inputs]

type CallOf<Service extends keyof Inputs> = {
  [Operation in keyof Inputs[Service]]: {
    readonly service: Service
    readonly operation: Operation
    readonly input: Inputs[Service][Operation]
  }
}[keyof Inputs[Service]]

/** Stands for the id that the answer to CreateKey will have. */
export const newKeyId = '<KeyId of CreateKey>'
