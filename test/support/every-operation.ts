/** What the least request for each operation of the KMS service names. */
export interface World {
  /** Id of the server's master key, and of one that was imported. */
  readonly keyId: string
  readonly importedKeyId: string
  /** Another's grant for another key. */
  readonly grant: { readonly KeyId: string; readonly GrantId: string }
  readonly alias: string
  /** A blob that the server may unwrap with this context. */
  readonly ciphertext: string
  readonly context: Readonly<Record<string, string>>
  readonly serverArn: string
  readonly userName: string
  readonly accessKeyId: string
  /** Others that are there. */
  readonly group: string
  readonly role: string
  readonly roleArn: string
  readonly policyArn: string
  readonly providerArn: string
  readonly deviceArn: string
  readonly inlinePolicy: string
}

const document = JSON.stringify({
  Version: '2012-10-17',
  Statement: { Effect: 'Allow', Action: 'kms:*', Resource: '*' },
})
const trust = (arn: string): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: { Effect: 'Allow', Action: 'sts:AssumeRole', Principal: { AWS: arn } },
  })

/** The least valid input of each operation of KMS. */
export function kmsInputs(world: World): Readonly<Record<string, object>> {
  const {
    keyId: KeyId,
    importedKeyId,
    alias: AliasName,
    ciphertext: CiphertextBlob,
    context,
    serverArn,
  } = world
  const one = { KeyId }
  return {
    CancelKeyDeletion: one,
    CreateAlias: { AliasName: 'alias/another', TargetKeyId: KeyId },
    CreateGrant: { KeyId, GranteePrincipal: serverArn, Operations: ['Decrypt'] },
    CreateKey: {},
    Decrypt: { KeyId, CiphertextBlob, EncryptionContext: context },
    DeleteAlias: { AliasName },
    DeleteImportedKeyMaterial: { KeyId: importedKeyId },
    DescribeKey: one,
    DisableKey: one,
    DisableKeyRotation: one,
    EnableKey: one,
    EnableKeyRotation: one,
    Encrypt: { KeyId, Plaintext: 'AA==', EncryptionContext: context },
    GenerateDataKey: { KeyId, KeySpec: 'AES_256', EncryptionContext: context },
    GenerateDataKeyWithoutPlaintext: { KeyId, KeySpec: 'AES_256', EncryptionContext: context },
    GenerateRandom: { NumberOfBytes: 16 },
    GetKeyLastUsage: one,
    GetKeyPolicy: one,
    GetKeyRotationStatus: one,
    GetParametersForImport: {
      KeyId: importedKeyId,
      WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
      WrappingKeySpec: 'RSA_2048',
    },
    ImportKeyMaterial: {
      KeyId: importedKeyId,
      ImportToken: 'AAAA',
      EncryptedKeyMaterial: 'AAAA',
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
    },
    ListAliases: {},
    ListGrants: one,
    ListKeyPolicies: one,
    ListKeyRotations: one,
    ListKeys: {},
    ListResourceTags: one,
    ListRetirableGrants: { RetiringPrincipal: serverArn },
    PutKeyPolicy: { KeyId, Policy: document },
    ReEncrypt: {
      CiphertextBlob,
      SourceEncryptionContext: context,
      DestinationKeyId: KeyId,
      DestinationEncryptionContext: context,
    },
    ReplicateKey: { KeyId, ReplicaRegion: 'eu-west-1' },
    RetireGrant: world.grant,
    RevokeGrant: { KeyId, GrantId: '0'.repeat(64) },
    RotateKeyOnDemand: one,
    ScheduleKeyDeletion: { KeyId, PendingWindowInDays: 30 },
    TagResource: { KeyId, Tags: [{ TagKey: 'a', TagValue: 'b' }] },
    UntagResource: { KeyId, TagKeys: ['strongroom-server'] },
    UpdateAlias: { AliasName, TargetKeyId: importedKeyId },
    UpdateKeyDescription: { KeyId, Description: 'mine' },
    UpdatePrimaryRegion: { KeyId, PrimaryRegion: 'eu-west-1' },
  }
}

type Parameters = Readonly<Record<string, string>>

/** The least valid parameters of each operation of IAM. */
export function iamParameters(world: World): Readonly<Record<string, Parameters>> {
  const {
    userName: UserName,
    accessKeyId: AccessKeyId,
    group,
    role,
    policyArn: PolicyArn,
    deviceArn: SerialNumber,
  } = world
  const user = { UserName }
  const inGroup = { GroupName: group }
  const ofRole = { RoleName: role }
  const policy = { PolicyArn }
  const device = { SerialNumber }
  const provider = { OpenIDConnectProviderArn: world.providerArn }
  const inline = { PolicyName: world.inlinePolicy }
  const tag = { 'Tags.member.1.Key': 'a', 'Tags.member.1.Value': 'b' }
  const untag = { 'TagKeys.member.1': 'strongroom-server' }
  const codes = { AuthenticationCode1: '123456', AuthenticationCode2: '654321' }
  return {
    CreateUser: { UserName: 'another' },
    DeleteUser: user,
    GetUser: user,
    ListUsers: {},
    ListUserTags: user,
    TagUser: { ...user, ...tag },
    UntagUser: { ...user, ...untag },
    UpdateUser: { ...user, NewUserName: 'another' },
    CreateAccessKey: user,
    DeleteAccessKey: { ...user, AccessKeyId },
    GetAccessKeyLastUsed: { AccessKeyId },
    ListAccessKeys: user,
    UpdateAccessKey: { ...user, AccessKeyId, Status: 'Inactive' },
    AddUserToGroup: { ...user, ...inGroup },
    CreateGroup: { GroupName: 'another' },
    DeleteGroup: inGroup,
    GetGroup: inGroup,
    ListGroups: {},
    ListGroupsForUser: user,
    RemoveUserFromGroup: { ...user, ...inGroup },
    UpdateGroup: { ...inGroup, NewGroupName: 'another' },
    CreateRole: { RoleName: 'another', AssumeRolePolicyDocument: trust(world.serverArn) },
    DeleteRole: ofRole,
    GetRole: ofRole,
    ListRoles: {},
    ListRoleTags: ofRole,
    TagRole: { ...ofRole, ...tag },
    UntagRole: { ...ofRole, ...untag },
    UpdateAssumeRolePolicy: { ...ofRole, PolicyDocument: trust(world.serverArn) },
    UpdateRole: { ...ofRole, Description: 'mine' },
    UpdateRoleDescription: { ...ofRole, Description: 'mine' },
    DeleteGroupPolicy: { ...inGroup, ...inline },
    DeleteRolePolicy: { ...ofRole, ...inline },
    DeleteUserPolicy: { UserName: 'bystander', ...inline },
    GetGroupPolicy: { ...inGroup, ...inline },
    GetRolePolicy: { ...ofRole, ...inline },
    GetUserPolicy: { UserName: 'bystander', ...inline },
    ListGroupPolicies: inGroup,
    ListRolePolicies: ofRole,
    ListUserPolicies: user,
    PutGroupPolicy: { ...inGroup, PolicyName: 'mine', PolicyDocument: document },
    PutRolePolicy: { ...ofRole, PolicyName: 'mine', PolicyDocument: document },
    PutUserPolicy: { ...user, PolicyName: 'mine', PolicyDocument: document },
    AttachGroupPolicy: { ...inGroup, ...policy },
    AttachRolePolicy: { ...ofRole, ...policy },
    AttachUserPolicy: { ...user, PolicyArn: 'arn:aws:iam::aws:policy/AdministratorAccess' },
    CreatePolicy: { PolicyName: 'mine', PolicyDocument: document },
    CreatePolicyVersion: { ...policy, PolicyDocument: document },
    DeletePolicy: policy,
    DeletePolicyVersion: { ...policy, VersionId: 'v2' },
    DetachGroupPolicy: { ...inGroup, ...policy },
    DetachRolePolicy: { ...ofRole, ...policy },
    DetachUserPolicy: { UserName: 'bystander', ...policy },
    GetPolicy: policy,
    GetPolicyVersion: { ...policy, VersionId: 'v1' },
    ListAttachedGroupPolicies: inGroup,
    ListAttachedRolePolicies: ofRole,
    ListAttachedUserPolicies: user,
    ListEntitiesForPolicy: policy,
    ListPolicies: {},
    ListPolicyTags: policy,
    ListPolicyVersions: policy,
    SetDefaultPolicyVersion: { ...policy, VersionId: 'v2' },
    TagPolicy: { ...policy, ...tag },
    UntagPolicy: { ...policy, ...untag },
    CreateVirtualMFADevice: { VirtualMFADeviceName: 'another' },
    DeactivateMFADevice: { UserName: 'bystander', ...device },
    DeleteVirtualMFADevice: device,
    EnableMFADevice: { ...user, ...device, ...codes },
    ListMFADeviceTags: device,
    ListMFADevices: user,
    ListVirtualMFADevices: {},
    ResyncMFADevice: { UserName: 'bystander', ...device, ...codes },
    TagMFADevice: { ...device, ...tag },
    UntagMFADevice: { ...device, ...untag },
    AddClientIDToOpenIDConnectProvider: { ...provider, ClientID: 'mine' },
    CreateOpenIDConnectProvider: { Url: 'https://issuer.example', 'ThumbprintList.member.1': '0'.repeat(40) },
    DeleteOpenIDConnectProvider: provider,
    GetOpenIDConnectProvider: provider,
    ListOpenIDConnectProviders: {},
    ListOpenIDConnectProviderTags: provider,
    RemoveClientIDFromOpenIDConnectProvider: { ...provider, ClientID: 'sts.amazonaws.com' },
    TagOpenIDConnectProvider: { ...provider, ...tag },
    UntagOpenIDConnectProvider: { ...provider, ...untag },
    UpdateOpenIDConnectProviderThumbprint: { ...provider, 'ThumbprintList.member.1': '0'.repeat(40) },
    GetAccountAuthorizationDetails: {},
    GetAccountSummary: {},
  }
}

/** The least valid parameters of each operation of STS. */
export function stsParameters({ roleArn, accessKeyId }: World): Readonly<Record<string, Parameters>> {
  return {
    AssumeRole: { RoleArn: roleArn, RoleSessionName: 'mine' },
    GetAccessKeyInfo: { AccessKeyId: accessKeyId },
    GetCallerIdentity: {},
    GetSessionToken: {},
  }
}
