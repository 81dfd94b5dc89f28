import { newIssuerKey, part } from '../support/oidc-issuer.ts'
import type { ConformanceCase } from './conformance-case.ts'
import { accountId, type Members, type World } from './world.ts'

/*
 * Roles by OpenID Connect: IAM's providers, and the operation of STS that takes their tokens.
 */

/** The operations of IAM and STS that have cases here, by the page of each. */
export const webIdentityOperations: ReadonlyMap<string, string> = new Map([
  ['AssumeRoleWithWebIdentity', page('STS', 'AssumeRoleWithWebIdentity')],
  ...[
    'AddClientIDToOpenIDConnectProvider',
    'CreateOpenIDConnectProvider',
    'DeleteOpenIDConnectProvider',
    'GetOpenIDConnectProvider',
    'ListOpenIDConnectProviders',
    'ListOpenIDConnectProviderTags',
    'RemoveClientIDFromOpenIDConnectProvider',
    'TagOpenIDConnectProvider',
    'UntagOpenIDConnectProvider',
    'UpdateOpenIDConnectProviderThumbprint',
  ].map((operation) => [operation, page('IAM', operation)] as const),
])

const conditionKeys =
  'https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif'
const creating = 'https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html'
const sessionTags =
  'https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_adding-assume-role-idp'

/** What stands otherwise than in a request that succeeds. */
interface Request {
  readonly token?: (world: World) => string
  readonly members?: (world: World) => Members
  /** A statement of the trust policy. */
  readonly trust?: (world: World) => object
}

const claims = (more: object) => ({ token: ({ issuer }: World) => issuer.token({ ...more }) })
const members = (more: Members) => ({ members: () => more })
const condition = (operator: string, claim: string, value: string) => ({
  trust: ({ issuer }: World) => ({ Condition: { [operator]: { [`${issuer.name}:${claim}`]: value } } }),
})
const minutesAgo = (minutes: number): number => Math.floor(Date.now() / 1000) - minutes * 60

type Row = readonly [variation: string, outcome: string, request: Request, source?: string]

const tokens: readonly Row[] = [
  ['of a registered provider', 'ok', {}],
  ['whose aud is a list of one', 'ok', claims({ aud: ['sts.amazonaws.com'] })],
  ['given to a client by azp', 'ok', claims({ aud: 'an-api', azp: 'sts.amazonaws.com' }), conditionKeys],
  ['for another audience', 'InvalidIdentityToken', claims({ aud: 'another' }), creating],
  ['given to another client by azp', 'InvalidIdentityToken', claims({ azp: 'another' }), conditionKeys],
  ['that has expired', 'ExpiredTokenException', claims({ iat: minutesAgo(60), exp: minutesAgo(1) })],
  ['that is not valid yet', 'InvalidIdentityToken', claims({ nbf: minutesAgo(-10) })],
  ['of no registered provider', 'InvalidIdentityToken', claims({ iss: 'https://other.example' })],
  ['without a subject', 'InvalidIdentityToken', claims({ sub: undefined }), creating],
  ['that is none', 'InvalidIdentityToken', members({ WebIdentityToken: 'an-access-token' })],
  [
    'signed by a key that the provider does not publish',
    'InvalidIdentityToken',
    { token: ({ issuer }) => issuer.token({}, { key: newIssuerKey('key-1', 'RS256') }) },
  ],
  [
    'without a signature',
    'InvalidIdentityToken',
    {
      token: ({ issuer }) => [part({ alg: 'none' }), issuer.token().split('.')[1], ''].join('.'),
    },
  ],
  ['of a provider that is away', 'IDPCommunicationError', { token: (world) => world.awayToken() }],
]

const rights: readonly Row[] = [
  [
    'a role that does not trust the provider',
    'AccessDenied',
    { trust: () => ({ Principal: { AWS: accountId } }) },
  ],
  ['a role that there is not', 'AccessDenied', members({ RoleArn: `arn:aws:iam::${accountId}:role/none` })],
  [
    'a role that trusts the subject',
    'ok',
    condition('StringLike', 'sub', 'system:serviceaccount:*'),
    conditionKeys,
  ],
  [
    'a role that trusts another subject',
    'AccessDenied',
    condition('StringEquals', 'sub', 'another'),
    conditionKeys,
  ],
  [
    'a role that trusts the audience',
    'ok',
    condition('StringEquals', 'aud', 'sts.amazonaws.com'),
    conditionKeys,
  ],
  [
    'a role that trusts another audience',
    'AccessDenied',
    condition('StringEquals', 'aud', 'a'),
    conditionKeys,
  ],
  [
    'a role that asks for amr, without it',
    'AccessDenied',
    condition('ForAnyValue:StringEquals', 'amr', 'mfa'),
    conditionKeys,
  ],
  [
    'session tags, where the role does not let in with them',
    'AccessDenied',
    claims({ 'https://aws.amazon.com/tags': { principal_tags: { team: ['db'] } } }),
    sessionTags,
  ],
]

const bounds: readonly Row[] = [
  ['DurationSeconds 900', 'ok', members({ DurationSeconds: '900' })],
  ['DurationSeconds 899', 'ValidationError', members({ DurationSeconds: '899' })],
  ['DurationSeconds above the role’s', 'ValidationError', members({ DurationSeconds: '3601' })],
  ['DurationSeconds 43201', 'ValidationError', members({ DurationSeconds: '43201' })],
  ['RoleSessionName of 1', 'ValidationError', members({ RoleSessionName: 'a' })],
  ['RoleSessionName of 65', 'ValidationError', members({ RoleSessionName: 'a'.repeat(65) })],
  ['WebIdentityToken of 20001', 'ValidationError', members({ WebIdentityToken: 'a'.repeat(20_001) })],
  ['a Policy that is none', 'MalformedPolicyDocument', members({ Policy: '{}' })],
]

function assumeCase(
  topic: 'token' | 'rights' | 'bounds',
  [variation, outcome, request, source]: Row,
): ConformanceCase {
  return {
    ...{ operation: 'AssumeRoleWithWebIdentity', topic, variation, outcome },
    source: source ?? page('STS', 'AssumeRoleWithWebIdentity'),
    async ask(world) {
      const RoleArn = await world.federatedRole(request.trust?.(world))
      return await world.askWithToken({
        Action: 'AssumeRoleWithWebIdentity',
        RoleArn,
        RoleSessionName: 'case',
        WebIdentityToken: request.token?.(world) ?? world.issuer.token(),
        ...request.members?.(world),
      })
    },
  }
}

const url = 'https://case.example/path'
const clients = (count: number): Members =>
  Object.fromEntries(Array.from({ length: count }, (_one, n) => [`ClientIDList.member.${n + 1}`, `c${n}`]))
const arn = { OpenIDConnectProviderArn: `arn:aws:iam::${accountId}:oidc-provider/case.example/path` }
const none = { OpenIDConnectProviderArn: `arn:aws:iam::${accountId}:oidc-provider/none.example` }
const tag = { 'Tags.member.1.Key': 'team', 'Tags.member.1.Value': 'db' }

type ProviderRow = readonly [
  operation: string,
  topic: 'naming' | 'bounds',
  variation: string,
  outcome: string,
  members: Members,
]

/** In this order, of one provider that the first makes. */
const providers: readonly ProviderRow[] = [
  ['CreateOpenIDConnectProvider', 'naming', 'a new URL', 'ok', { Url: url }],
  ['CreateOpenIDConnectProvider', 'naming', 'a known URL', 'EntityAlreadyExists', { Url: url }],
  [
    'CreateOpenIDConnectProvider',
    'naming',
    'a URL that is not https',
    'InvalidInput',
    { Url: 'http://a.example' },
  ],
  ['CreateOpenIDConnectProvider', 'naming', 'a URL with a query', 'InvalidInput', { Url: `${url}?a=b` }],
  ['CreateOpenIDConnectProvider', 'bounds', 'no URL', 'ValidationError', {}],
  ['CreateOpenIDConnectProvider', 'bounds', 'a URL of 256', 'ValidationError', { Url: url.padEnd(256, 'a') }],
  [
    'CreateOpenIDConnectProvider',
    'bounds',
    '101 clients',
    'LimitExceeded',
    { Url: `${url}/a`, ...clients(101) },
  ],
  [
    'CreateOpenIDConnectProvider',
    'bounds',
    'a thumbprint of 39',
    'ValidationError',
    { Url: `${url}/b`, 'ThumbprintList.member.1': 'a'.repeat(39) },
  ],
  ...(
    [
      ['AddClientIDToOpenIDConnectProvider', { ClientID: 'a' }],
      ['RemoveClientIDFromOpenIDConnectProvider', { ClientID: 'a' }],
      ['UpdateOpenIDConnectProviderThumbprint', { 'ThumbprintList.member.1': 'a'.repeat(40) }],
      ['TagOpenIDConnectProvider', tag],
      ['UntagOpenIDConnectProvider', { 'TagKeys.member.1': 'team' }],
      ['ListOpenIDConnectProviderTags', {}],
      ['GetOpenIDConnectProvider', {}],
    ] as const
  ).flatMap(([operation, more]): ProviderRow[] => [
    [operation, 'naming', 'a provider', 'ok', { ...arn, ...more }],
    [operation, 'naming', 'the same again', 'ok', { ...arn, ...more }],
    [operation, 'naming', 'a provider that there is not', 'NoSuchEntity', { ...none, ...more }],
  ]),
  ['ListOpenIDConnectProviders', 'naming', 'all', 'ok', {}],
  ['DeleteOpenIDConnectProvider', 'naming', 'a provider', 'ok', arn],
  ['DeleteOpenIDConnectProvider', 'naming', 'a provider that there is not', 'ok', arn],
]

export const webIdentityCases: readonly ConformanceCase[] = [
  ...tokens.map((row) => assumeCase('token', row)),
  ...rights.map((row) => assumeCase('rights', row)),
  ...bounds.map((row) => assumeCase('bounds', row)),
  ...providers.map(([operation, topic, variation, outcome, form]) => ({
    ...{ operation, topic, variation, outcome },
    source: page('IAM', operation),
    ask: (world: World) => world.askIam({ Action: operation, ...form }),
  })),
]

function page(service: 'IAM' | 'STS', operation: string): string {
  return `https://docs.aws.amazon.com/${service}/latest/APIReference/API_${operation}.html`
}
