import type { Random } from './random.ts'

/** What the fuzzed service has, for requests that get past the first checks. */
export interface Known {
  readonly keyId: string
  readonly keyArn: string
  readonly otherKeyId: string
  readonly blob: string
  readonly grantId: string
  readonly accountId: string
}

type Pool = Readonly<Record<string, readonly unknown[]>>

const policy = (principal: unknown): string =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: principal, Action: 'kms:*', Resource: '*' }],
  })

/** Good values, the likeliest several times, of every member that an operation of KMS or CloudTrail has. */
export function jsonMembers(known: Known): Pool {
  const { keyId, keyArn, otherKeyId, blob, accountId } = known
  const root = { AWS: `arn:aws:iam::${accountId}:root` }
  const keys = [keyId, keyArn, otherKeyId, 'alias/fuzz', keyArn.replace(/key\/.*/, 'alias/fuzz')]
  const context = [{}, { a: 'b' }, { a: 'b', 'aws:c': 'd' }]
  const user = `arn:aws:iam::${accountId}:user/fuzz`
  return {
    KeyId: keys,
    TargetKeyId: keys,
    SourceKeyId: keys,
    DestinationKeyId: keys,
    AliasName: ['alias/fuzz', 'alias/fuzz2', 'alias/a/b'],
    Plaintext: ['eA==', 'AAECAwQFBgc='],
    CiphertextBlob: [blob],
    EncryptionContext: context,
    SourceEncryptionContext: context,
    DestinationEncryptionContext: context,
    EncryptionAlgorithm: ['SYMMETRIC_DEFAULT', 'SYMMETRIC_DEFAULT', 'SYMMETRIC_DEFAULT', 'RSAES_OAEP_SHA_1'],
    KeySpec: ['AES_256', 'AES_128', 'SYMMETRIC_DEFAULT', 'SYMMETRIC_DEFAULT', 'RSA_2048'],
    NumberOfBytes: [1, 32, 1024],
    Limit: [1, 100],
    Marker: [keyId, 'alias/fuzz', 'bm8='],
    Description: ['', 'fuzzed'],
    Policy: [policy(root), policy('*'), policy({ AWS: [user] })],
    PolicyName: ['default'],
    BypassPolicyLockoutSafetyCheck: [false],
    KeyUsage: ['ENCRYPT_DECRYPT', 'ENCRYPT_DECRYPT', 'SIGN_VERIFY'],
    Origin: ['AWS_KMS', 'EXTERNAL'],
    MultiRegion: [true, false],
    Tags: [[{ TagKey: 'a', TagValue: 'b' }], []],
    TagKeys: [['a'], []],
    PendingWindowInDays: [7, 30],
    RotationPeriodInDays: [90, 365],
    GranteePrincipal: [user, root.AWS],
    RetiringPrincipal: [user],
    Operations: [['Decrypt'], ['Encrypt', 'CreateGrant', 'DescribeKey']],
    Constraints: [{ EncryptionContextSubset: { a: 'b' } }, { EncryptionContextEquals: { a: 'b' } }],
    Name: ['grant'],
    GrantId: [known.grantId],
    GrantToken: ['dG9rZW4='],
    GrantTokens: [[], [], [], ['dG9rZW4=']],
    DryRun: [true, false, false, false],
    WrappingAlgorithm: ['RSAES_OAEP_SHA_256', 'RSA_AES_KEY_WRAP_SHA_256'],
    WrappingKeySpec: ['RSA_2048', 'RSA_4096'],
    ImportToken: [blob],
    EncryptedKeyMaterial: [blob],
    ValidTo: [1_900_000_000, 1_900_000_000.5],
    ExpirationModel: ['KEY_MATERIAL_EXPIRES', 'KEY_MATERIAL_DOES_NOT_EXPIRE'],
    ImportType: ['NEW_KEY_MATERIAL', 'EXISTING_KEY_MATERIAL'],
    KeyMaterialId: ['a'.repeat(64)],
    KeyMaterialDescription: ['material'],
    IncludeKeyMaterial: ['ALL_KEY_MATERIAL', 'ROTATIONS_ONLY'],
    ReplicaRegion: ['us-west-2', 'eu-west-1'],
    PrimaryRegion: ['us-west-2'],
    LookupAttributes: [[{ AttributeKey: 'EventName', AttributeValue: 'Decrypt' }]],
    StartTime: [1_700_000_000],
    EndTime: [1_900_000_000],
    MaxResults: [1, 50],
    NextToken: ['bm8='],
  }
}

/** Good values of every member that an operation of IAM or STS has, and parts of lists, as a form names them. */
export function formMembersOf({ accountId }: Known): Pool {
  const role = `arn:aws:iam::${accountId}:role/fuzz`
  const managed = `arn:aws:iam::${accountId}:policy/fuzz`
  const identityPolicy =
    '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"kms:*","Resource":"*"}]}'
  const trust = policy({ AWS: `arn:aws:iam::${accountId}:root` })
    .replace('kms:*', 'sts:AssumeRole')
    .replace(',"Resource":"*"', '')
  return {
    UserName: ['fuzz', 'fuzz2'],
    NewUserName: ['fuzz3'],
    GroupName: ['fuzz'],
    RoleName: ['fuzz'],
    Path: ['/', '/a/b/'],
    PathPrefix: ['/', '/a/'],
    PolicyName: ['fuzz'],
    PolicyDocument: [identityPolicy],
    AssumeRolePolicyDocument: [trust],
    PolicyArn: [managed, 'arn:aws:iam::aws:policy/ReadOnlyAccess'],
    VersionId: ['v1', 'v2'],
    SetAsDefault: ['true', 'false'],
    Description: ['fuzzed'],
    MaxSessionDuration: ['3600'],
    AccessKeyId: ['AKIAIOSFODNN7EXAMPLE'],
    Status: ['Active', 'Inactive'],
    Marker: ['fuzz'],
    MaxItems: ['1', '1000'],
    OnlyAttached: ['true'],
    Scope: ['All', 'Local'],
    'Tags.member.1.Key': ['a'],
    'Tags.member.1.Value': ['b', ''],
    'Tags.member.2.Key': ['c'],
    'Tags.member.2.Value': ['d'],
    'TagKeys.member.1': ['a'],
    'PolicyArns.member.1.arn': [managed],
    'TransitiveTagKeys.member.1': ['a'],
    VirtualMFADeviceName: ['fuzz'],
    SerialNumber: [`arn:aws:iam::${accountId}:mfa/fuzz`],
    AuthenticationCode1: ['123456'],
    AuthenticationCode2: ['654321'],
    TokenCode: ['123456'],
    DurationSeconds: ['900', '3600'],
    RoleArn: [role],
    RoleSessionName: ['session'],
    Policy: [identityPolicy],
    ExternalId: ['external'],
    SourceIdentity: ['source'],
    Url: [nobody, 'https://issuer.example/fuzz'],
    OpenIDConnectProviderArn: [`arn:aws:iam::${accountId}:oidc-provider/${nobody.slice('https://'.length)}`],
    ClientID: ['client'],
    'ClientIDList.member.1': ['client'],
    'ThumbprintList.member.1': ['a'.repeat(40)],
    WebIdentityToken: [webIdentityToken(), webIdentityToken({ exp: 1 }), 'eyJhbGciOiJub25lIn0.e30.'],
    PolicySourceArn: [role],
    'ActionNames.member.1': ['kms:Decrypt'],
    'PolicyInputList.member.1': [identityPolicy],
    'ResourceArns.member.1': ['*'],
    'ContextEntries.member.1.ContextKeyName': ['aws:username'],
    'ContextEntries.member.1.ContextKeyType': ['string'],
    'ContextEntries.member.1.ContextKeyValues.member.1': ['fuzz'],
  }
}

/** An issuer that nobody is. */
const nobody = 'https://127.0.0.1:1/fuzz'

/** Good, but for its signature. */
function webIdentityToken(claims: object = {}): string {
  const header = { alg: 'RS256', kid: 'fuzz' }
  const good = { iss: nobody, sub: 'fuzz', aud: 'client', iat: 1_700_000_000, exp: 4_000_000_000 }
  const parts = [header, { ...good, ...claims }].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  )
  return [...parts, 'AAAA'].join('.')
}

/** Members from the pool: mostly all of them, which the operation then picks from, or some. */
export function membersFrom(pool: Pool, random: Random): Record<string, unknown> {
  const share = random.pick([100, 95, 80, 40, 10])
  return Object.fromEntries(
    Object.entries(pool)
      .filter(() => random.chance(share))
      .map(([name, values]) => [name, random.pick(values)]),
  )
}
