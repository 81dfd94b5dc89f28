import {
  CreateOpenIDConnectProviderCommand,
  DeleteOpenIDConnectProviderCommand,
  RemoveClientIDFromOpenIDConnectProviderCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
} from '@aws-sdk/client-iam'
import { CreateKeyCommand, ListKeysCommand } from '@aws-sdk/client-kms'
import {
  AssumeRoleWithWebIdentityCommand,
  type AssumeRoleWithWebIdentityCommandInput,
  type AssumeRoleWithWebIdentityCommandOutput,
  GetCallerIdentityCommand,
} from '@aws-sdk/client-sts'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { identityPolicy, type Statement, trustPolicy } from '../../../../test/support/identities.ts'
import { type Credentials, startTestService, type TestService } from '../../../../test/support/kms-service.ts'
import { audience, type Issuer, startIssuer, subject } from '../../../../test/support/oidc-issuer.ts'
import { usable } from '../../../../test/support/sts-session.ts'
import { until } from '../../../../test/support/until.ts'

const roleArn = 'arn:aws:iam::111122223333:role/database'
const denied = (action = 'sts:AssumeRoleWithWebIdentity') => ({
  name: 'AccessDenied',
  message: `Not authorized to perform ${action}`,
})

interface Scene {
  readonly service: TestService
  readonly issuer: Issuer
  readonly answer: (
    input?: Partial<AssumeRoleWithWebIdentityCommandInput>,
  ) => Promise<AssumeRoleWithWebIdentityCommandOutput>
  readonly assume: (input?: Partial<AssumeRoleWithWebIdentityCommandInput>) => Promise<Credentials>
  readonly trust: (...statements: Statement[]) => Promise<void>
  /** One that lets in by the issuer. */
  readonly federated: (more?: Statement) => Statement
}

/** A role that everyone whom the issuer vouches for may assume, and that may list keys. */
async function scene(t: TestContext, ...may: Statement[]): Promise<Scene> {
  const [service, issuer] = await Promise.all([startTestService(t), startIssuer(t)])
  const iam = service.iam()
  await iam.send(
    new CreateOpenIDConnectProviderCommand({
      Url: issuer.url,
      ClientIDList: [audience],
      ThumbprintList: [issuer.thumbprint],
    }),
  )
  const federated = (more: Statement = {}): Statement => ({
    Principal: { Federated: issuer.arn },
    Action: 'sts:AssumeRoleWithWebIdentity',
    ...more,
  })
  await service.makeRole('database', [federated()], { Action: 'kms:ListKeys' }, ...may)
  // Whoever has a token has no credentials: those of the client must not be looked at.
  const sts = service.sts({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' })
  const answer: Scene['answer'] = (input = {}) =>
    sts.send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: roleArn,
        RoleSessionName: 'pod',
        WebIdentityToken: issuer.token(),
        ...input,
      }),
    )
  return {
    ...{ service, issuer, answer, federated },
    assume: async (input) => usable((await answer(input)).Credentials),
    async trust(...statements) {
      const PolicyDocument = trustPolicy(...statements)
      await iam.send(new UpdateAssumeRolePolicyCommand({ RoleName: 'database', PolicyDocument }))
    },
  }
}

test('a token of a registered issuer gets a session of a role that trusts it', async (t) => {
  const { service, issuer, answer } = await scene(t)
  const got = await answer({ DurationSeconds: 900 })
  assert.equal(got.SubjectFromWebIdentityToken, subject)
  assert.equal(got.Audience, audience)
  assert.equal(got.Provider, issuer.arn)
  assert.equal(got.AssumedRoleUser?.Arn, 'arn:aws:sts::111122223333:assumed-role/database/pod')
  assert.match(got.AssumedRoleUser.AssumedRoleId ?? '', /^AROA[A-Z2-7]{16}:pod$/)
  assert.equal(got.SessionTokenUtilization, 2)
  const left = (got.Credentials?.Expiration?.getTime() ?? 0) - Date.now()
  assert.ok(left > 880_000 && left <= 900_000)
  const session = usable(got.Credentials)
  const identity = await service.sts(session).send(new GetCallerIdentityCommand({}))
  assert.equal(identity.Arn, got.AssumedRoleUser.Arn)
  await service.kms(session).send(new ListKeysCommand({}))
  await assert.rejects(service.kms(session).send(new CreateKeyCommand({})), { name: 'AccessDeniedException' })
})

test('the trail has who came, by what, and never the token', async (t) => {
  const { service, issuer, answer, assume } = await scene(t)
  const token = issuer.token()
  const session = await assume({ WebIdentityToken: token })
  await service.kms(session).send(new ListKeysCommand({}))
  await assert.rejects(answer({ RoleArn: `${roleArn}x`, WebIdentityToken: token }), denied())
  await assert.rejects(answer({ WebIdentityToken: `${token.slice(0, -8)}AAAAAAAA` }), {
    name: 'InvalidIdentityTokenException',
  })
  const [assumed, listed, refused, forged] = service.trail().slice(-4)
  const user = {
    type: 'WebIdentityUser',
    principalId: `${issuer.arn}:${audience}:${subject}`,
    userName: subject,
    identityProvider: issuer.arn,
  }
  assert.deepEqual(assumed?.['userIdentity'], user)
  assert.deepEqual(assumed['requestParameters'], {
    durationSeconds: 3600,
    minimumSessionTokenSize: 0,
    roleArn,
    roleSessionName: 'pod',
  })
  assert.partialDeepStrictEqual(assumed['responseElements'], {
    subjectFromWebIdentityToken: subject,
    audience,
    provider: issuer.arn,
    credentials: { accessKeyId: session.accessKeyId },
    assumedRoleUser: { arn: 'arn:aws:sts::111122223333:assumed-role/database/pod' },
  })
  assert.partialDeepStrictEqual(listed?.['userIdentity'], {
    type: 'AssumedRole',
    sessionContext: { webIdFederationData: { federatedProvider: issuer.arn, attributes: {} } },
  })
  assert.deepEqual([refused?.['userIdentity'], refused?.['errorCode']], [user, 'AccessDenied'])
  assert.deepEqual(
    [forged?.['userIdentity'], forged?.['errorCode']],
    [{ type: 'Unknown' }, 'InvalidIdentityToken'],
  )
  const trail = JSON.stringify(service.trail())
  for (const secret of [...token.split('.'), session.secretAccessKey, session.sessionToken ?? ''])
    assert.ok(!trail.includes(secret))
})

test('the trust policy decides, by what the token claims', async (t) => {
  const { issuer, answer, assume, trust, federated } = await scene(t)
  const claim = (name: string, value: string): Statement => ({
    Condition: { StringEquals: { [`${issuer.name}:${name}`]: value } },
  })
  for (const [name, right, wrong] of [
    ['sub', subject, 'system:serviceaccount:databases:other'],
    ['aud', audience, 'another'],
  ] as const) {
    await trust(federated(claim(name, right)))
    await assume()
    await trust(federated(claim(name, wrong)))
    await assert.rejects(answer(), denied())
    await trust(federated(), { ...federated(claim(name, right)), Effect: 'Deny' })
    await assert.rejects(answer(), denied())
  }
  await trust(federated({ Condition: { 'ForAnyValue:StringLike': { [`${issuer.name}:amr`]: 'mf*' } } }))
  await assert.rejects(answer(), denied())
  await assume({ WebIdentityToken: issuer.token({ amr: ['pwd', 'mfa'] }) })
  await trust(federated({ Condition: { StringEquals: { 'sts:RoleSessionName': 'pod' } } }))
  await assume()
  await assert.rejects(answer({ RoleSessionName: 'other' }), denied())
})

test('nobody else is meant: no other provider, no other action, not everyone, not the account', async (t) => {
  const { answer, trust, federated, issuer } = await scene(t)
  const withWebIdentity = { Action: 'sts:AssumeRoleWithWebIdentity' }
  for (const statement of [
    { Principal: '*', ...withWebIdentity },
    { Principal: { AWS: '*' }, ...withWebIdentity },
    { Principal: { AWS: '111122223333' }, ...withWebIdentity },
    federated({ Action: 'sts:AssumeRole' }),
    federated({ Principal: { Federated: `${issuer.arn}/other` } }),
    federated({ Principal: { Federated: issuer.arn.replace('1111', '4444') } }),
  ]) {
    await trust(statement)
    await assert.rejects(answer(), denied(), JSON.stringify(statement))
  }
  await trust(federated(), { Principal: '*', Effect: 'Deny', ...withWebIdentity })
  await assert.rejects(answer(), denied(), 'a Deny to everyone is meant for everyone')
  await trust(federated())
  await answer()
  await assert.rejects(answer({ RoleArn: `${roleArn}x` }), denied(), 'whether a role is there is not told')
})

test('a session keeps what it came by, for conditions and policy variables', async (t) => {
  const { service, issuer, assume } = await scene(t)
  const list = async (Condition: unknown): Promise<unknown> => {
    const role = `reader-${Math.random().toString(36).slice(2)}`
    await service.makeRole(
      role,
      [{ Principal: { Federated: issuer.arn }, Action: 'sts:AssumeRoleWithWebIdentity' }],
      { Action: 'kms:ListKeys', Condition },
    )
    return service
      .kms(await assume({ RoleArn: `arn:aws:iam::111122223333:role/${role}` }))
      .send(new ListKeysCommand({}))
  }
  await list({ StringEquals: { 'aws:FederatedProvider': issuer.arn } })
  await list({ StringEquals: { [`${issuer.name}:sub`]: subject, [`${issuer.name}:aud`]: audience } })
  await list({ StringEquals: { [`${issuer.name}:sub`]: `\${${issuer.name}:sub}` } })
  await assert.rejects(list({ StringEquals: { 'aws:FederatedProvider': `${issuer.arn}x` } }), {
    name: 'AccessDeniedException',
  })
  await assert.rejects(list({ Null: { 'aws:FederatedProvider': 'true' } }), { name: 'AccessDeniedException' })
})

test('session policies limit it, and survive a restart with the rest', async (t) => {
  const { service, issuer, answer, assume } = await scene(t, { Action: 'kms:CreateKey' })
  const Policy = identityPolicy({
    Action: 'kms:ListKeys',
    Condition: { StringEquals: { 'aws:FederatedProvider': issuer.arn } },
  })
  const session = await assume({ Policy })
  await service.reopen()
  await service.kms(session).send(new ListKeysCommand({}))
  await assert.rejects(service.kms(session).send(new CreateKeyCommand({})), { name: 'AccessDeniedException' })
  assert.deepEqual(
    service.trail().find((one) => 'policy' in Object(one['requestParameters']))?.['errorCode'],
    undefined,
  )
  // The client was for the port before.
  await assert.rejects(answer())
})

test('tags and a source identity come by the token, where the trust allows it', async (t) => {
  const { service, issuer, answer, trust, federated } = await scene(t, {
    Action: 'kms:CreateKey',
    Condition: { StringEquals: { 'aws:PrincipalTag/team': 'db', 'aws:SourceIdentity': 'alice' } },
  })
  const claims = {
    'https://aws.amazon.com/tags': { principal_tags: { team: ['db'] }, transitive_tag_keys: ['team'] },
    'https://aws.amazon.com/source_identity': 'alice',
  }
  const WebIdentityToken = issuer.token(claims)
  await assert.rejects(answer({ WebIdentityToken }), denied('sts:TagSession'))
  await trust(federated({ Action: ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession'] }))
  await assert.rejects(answer({ WebIdentityToken }), denied('sts:SetSourceIdentity'))
  const all = ['sts:AssumeRoleWithWebIdentity', 'sts:TagSession', 'sts:SetSourceIdentity']
  await trust(federated({ Action: all, Condition: { StringEquals: { 'aws:RequestTag/team': 'db' } } }))
  const got = await answer({ WebIdentityToken })
  assert.equal(got.SourceIdentity, 'alice')
  await service.kms(usable(got.Credentials)).send(new CreateKeyCommand({}))
  const other = issuer.token({
    ...claims,
    'https://aws.amazon.com/tags': { principal_tags: { team: ['web'] } },
  })
  await assert.rejects(answer({ WebIdentityToken: other }), denied())
  const wrong = issuer.token({ 'https://aws.amazon.com/source_identity': 'a b' })
  await assert.rejects(answer({ WebIdentityToken: wrong }), { name: 'InvalidIdentityTokenException' })
})

test('the role and the request bound the session', async (t) => {
  const { service, answer } = await scene(t)
  await assert.rejects(answer({ DurationSeconds: 3601 }), {
    name: 'ValidationError',
    message: /MaxSessionDuration/,
  })
  await service.iam().send(new UpdateRoleCommand({ RoleName: 'database', MaxSessionDuration: 7200 }))
  await answer({ DurationSeconds: 7200 })
  for (const input of [
    { DurationSeconds: 899 },
    { RoleSessionName: 'a b' },
    { WebIdentityToken: 'x'.repeat(20_001) },
    { WebIdentityToken: 'x' },
    { RoleArn: 'arn:aws:iam::1' },
  ]) {
    await assert.rejects(answer(input), { name: 'ValidationError' }, JSON.stringify(input).slice(0, 80))
  }
  await assert.rejects(answer({ ProviderId: 'www.amazon.com' }), { name: 'InvalidInput' })
  await assert.rejects(answer({ Policy: '{}' }), { name: 'MalformedPolicyDocumentException' })
})

test('a token counts for a client of the provider, while both are registered', async (t) => {
  const { service, issuer, answer } = await scene(t)
  const incorrect = { name: 'InvalidIdentityTokenException', message: 'Incorrect token audience' }
  const send = (claims: Record<string, unknown>) => answer({ WebIdentityToken: issuer.token(claims) })
  await assert.rejects(send({ aud: 'another' }), incorrect)
  await assert.rejects(send({ aud: [audience, 'another'] }), incorrect)
  await assert.rejects(send({ azp: 'another' }), incorrect)
  await send({ aud: [audience] })
  await assert.rejects(send({ iss: issuer.url.replace('realms', 'Realms') }), {
    message: /^No OpenIDConnect provider found in your account for https:.*Realms/,
  })
  assert.equal((await send({ aud: ['an-api', 'another'], azp: audience })).Audience, audience)
  const iam = service.iam()
  const OpenIDConnectProviderArn = issuer.arn
  await iam.send(
    new RemoveClientIDFromOpenIDConnectProviderCommand({ OpenIDConnectProviderArn, ClientID: audience }),
  )
  await assert.rejects(send({}), incorrect)
  await iam.send(new DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }))
  await assert.rejects(send({}), {
    name: 'InvalidIdentityTokenException',
    message: `No OpenIDConnect provider found in your account for ${issuer.url}`,
  })
})

test('who comes too often is told so, and strangers can neither fill the trail nor ask the issuer without end', async (t) => {
  const { service, issuer, answer } = await scene(t)
  await answer()
  const asked = issuer.requests.length
  const before = service.trail().length
  // One that the public could have, of a provider that serves the public: right, and of no use.
  const WebIdentityToken = issuer.token({ sub: 'somebody' })
  const Policy = identityPolicy({ Action: 'kms:ListKeys', Resource: `arn:aws:${'x'.repeat(1500)}` })
  await Promise.all(
    Array.from({ length: 50 }, async (_one, n) => {
      const unknownKey = issuer.token({}, { header: { kid: `other-${String(n)}` } })
      await assert.rejects(answer({ WebIdentityToken: unknownKey, Policy }), {
        name: 'InvalidIdentityTokenException',
      })
      await assert.rejects(answer({ RoleArn: `${roleArn}x`, WebIdentityToken, Policy }), denied())
    }),
  )
  // One more look at the document and its keys, for the first key that was not known.
  assert.ok(issuer.requests.length - asked <= 2, issuer.requests.join())
  const records = service.trail().slice(before)
  assert.ok(records.length < 100, String(records.length))
  for (const record of records) assert.ok(JSON.stringify(record).length < 1800)
})

test('callers of one identity share a quota', async (t) => {
  const issuer = await startIssuer(t)
  const quotas = { all: undefined, perOperation: new Map([['AssumeRoleWithWebIdentity', 2]]) }
  const service = await startTestService(t, { quotas })
  await service.iam().send(
    new CreateOpenIDConnectProviderCommand({
      Url: issuer.url,
      ClientIDList: [audience],
      ThumbprintList: [issuer.thumbprint],
    }),
  )
  await service.makeRole('database', [
    { Principal: { Federated: issuer.arn }, Action: 'sts:AssumeRoleWithWebIdentity' },
  ])
  const send = (sub: string) =>
    service.sts().send(
      new AssumeRoleWithWebIdentityCommand({
        RoleArn: roleArn,
        RoleSessionName: 'pod',
        WebIdentityToken: issuer.token({ sub }),
      }),
    )
  await send('warm')
  const results = await Promise.allSettled(Array.from({ length: 10 }, () => send('one')))
  assert.ok(results.some(({ status }) => status === 'rejected'))
  for (const one of results) if (one.status === 'rejected') assert.equal(nameOf(one.reason), 'Throttling')
  await send('another')
})

test('no signature is asked for, and none is looked at, for this operation alone', async (t) => {
  const { service, issuer } = await scene(t)
  const form = (more: Record<string, string> = {}): URLSearchParams =>
    new URLSearchParams({
      Action: 'AssumeRoleWithWebIdentity',
      Version: '2011-06-15',
      RoleArn: roleArn,
      RoleSessionName: 'pod',
      WebIdentityToken: issuer.token(),
      ...more,
    })
  const { url } = service.current
  const outcome = async (response: Response): Promise<string> =>
    /<(?:Code|Arn)>([^<]+)</.exec(await response.text())?.[1] ?? String(response.status)
  const post = async (
    body: URLSearchParams | string,
    headers: Record<string, string> = {},
  ): Promise<string> => outcome(await fetch(url, { method: 'POST', headers, body }))
  const assumed = 'arn:aws:sts::111122223333:assumed-role/database/pod'
  assert.equal(await post(form()), assumed)
  assert.equal(await outcome(await fetch(`${url}/?${form().toString()}`)), assumed)
  assert.equal(await post(form(), { authorization: 'Bearer x' }), assumed)
  assert.equal(await post(form(), { authorization: 'AWS4-HMAC-SHA256 Credential=a/b/c/d/e' }), assumed)
  assert.equal(await post(form({ Action: 'AssumeRole' })), 'MissingAuthenticationToken')
  assert.equal(await post(form({ Version: '2010-05-08' })), 'MissingAuthenticationToken')
  assert.equal(await post(form({ Version: '1' })), 'InvalidAction')
  const largest = form({ X: 'x'.repeat(65_536 - form({ X: '' }).toString().length) })
  assert.equal(await post(largest), assumed)
  assert.equal(await post(`${largest.toString()}x`), 'RequestEntityTooLarge')
  assert.equal(await post(`${form().toString()}&RoleArn=x`), 'MalformedQueryString')
  assert.equal(await post(form({ 'Tags.member.1.Key': 'team', 'Tags.member.1.Value': 'db' })), assumed)
})

test('an issuer that hangs holds nobody else up, and ends with the service', async (t) => {
  const { service, issuer, answer } = await scene(t)
  issuer.answers.set('/realms/test/keys', { silent: true })
  const waiting = Array.from({ length: 20 }, () => answer().then(() => 'ok', nameOf))
  await until('the issuer is asked', () => issuer.requests.includes('/realms/test/keys'))
  await service.kms().send(new ListKeysCommand({}))
  await service.reopen()
  for (const name of await Promise.all(waiting)) assert.equal(name, 'IDPCommunicationErrorException')
  assert.equal(issuer.requests.filter((path) => path === '/realms/test/keys').length, 1)
})

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : String(error)
}
