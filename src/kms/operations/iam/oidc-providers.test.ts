import * as iam from '@aws-sdk/client-iam'
import { CreateKeyCommand } from '@aws-sdk/client-kms'
import { GetCallerIdentityCommand } from '@aws-sdk/client-sts'
import assert from 'node:assert/strict'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { trustPolicy } from '../../../../test/support/identities.ts'
import { startTestService, type TestService } from '../../../../test/support/kms-service.ts'

const arnOf = (name: string): string => `arn:aws:iam::111122223333:oidc-provider/${name}`
const Url = 'https://issuer.example/realms/databases'
const OpenIDConnectProviderArn = arnOf('issuer.example/realms/databases')
const thumbprint = 'A9D53002E97E00E043244F3D170D6F4C414104FD'

async function started(t: TestContext): Promise<{ service: TestService; client: iam.IAMClient }> {
  const service = await startTestService(t)
  return { service, client: service.iam() }
}

test('a provider is made, shown, listed and deleted', async (t) => {
  const { service, client } = await started(t)
  const made = await client.send(
    new iam.CreateOpenIDConnectProviderCommand({
      Url,
      ClientIDList: ['sts.amazonaws.com', 'mariadb', 'mariadb'],
      ThumbprintList: [thumbprint],
      Tags: [{ Key: 'team', Value: 'db' }],
    }),
  )
  assert.equal(made.OpenIDConnectProviderArn, OpenIDConnectProviderArn)
  assert.deepEqual(made.Tags, [{ Key: 'team', Value: 'db' }])
  for (let time = 0; time < 2; time++) {
    const got = await service
      .iam()
      .send(new iam.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }))
    assert.equal(got.Url, 'issuer.example/realms/databases')
    assert.deepEqual(got.ClientIDList, ['sts.amazonaws.com', 'mariadb'])
    assert.deepEqual(got.ThumbprintList, [thumbprint.toLowerCase()])
    assert.deepEqual(got.Tags, [{ Key: 'team', Value: 'db' }])
    assert.ok(Math.abs((got.CreateDate?.getTime() ?? 0) - Date.now()) < 60_000)
    await service.reopen()
  }
  const again = service.iam()
  await again.send(new iam.CreateOpenIDConnectProviderCommand({ Url: 'https://a.example' }))
  const list = async () =>
    (await again.send(new iam.ListOpenIDConnectProvidersCommand({}))).OpenIDConnectProviderList
  assert.deepEqual(await list(), [{ Arn: arnOf('a.example') }, { Arn: OpenIDConnectProviderArn }])
  const summary = await again.send(new iam.GetAccountSummaryCommand({}))
  assert.equal(summary.SummaryMap?.Providers, 2)
  for (let time = 0; time < 2; time++) {
    await again.send(new iam.DeleteOpenIDConnectProviderCommand({ OpenIDConnectProviderArn }))
    assert.deepEqual(await list(), [{ Arn: arnOf('a.example') }])
  }
  await assert.rejects(again.send(new iam.GetOpenIDConnectProviderCommand({ OpenIDConnectProviderArn })), {
    name: 'NoSuchEntityException',
  })
})

test('clients come and go, thumbprints are replaced, tags change', async (t) => {
  const { client } = await started(t)
  await client.send(new iam.CreateOpenIDConnectProviderCommand({ Url, ThumbprintList: [thumbprint] }))
  const provider = { OpenIDConnectProviderArn }
  const get = () => client.send(new iam.GetOpenIDConnectProviderCommand(provider))
  for (const ClientID of ['a', 'b', 'a'])
    await client.send(new iam.AddClientIDToOpenIDConnectProviderCommand({ ...provider, ClientID }))
  assert.deepEqual((await get()).ClientIDList, ['a', 'b'])
  for (const ClientID of ['a', 'c'])
    await client.send(new iam.RemoveClientIDFromOpenIDConnectProviderCommand({ ...provider, ClientID }))
  assert.deepEqual((await get()).ClientIDList, ['b'])
  const ThumbprintList = ['1'.repeat(40), '2'.repeat(40)]
  await client.send(new iam.UpdateOpenIDConnectProviderThumbprintCommand({ ...provider, ThumbprintList }))
  assert.deepEqual((await get()).ThumbprintList, ThumbprintList)
  const Tags = [
    { Key: 'team', Value: 'db' },
    { Key: 'site', Value: 'north' },
  ]
  await client.send(new iam.TagOpenIDConnectProviderCommand({ ...provider, Tags }))
  await client.send(new iam.UntagOpenIDConnectProviderCommand({ ...provider, TagKeys: ['TEAM'] }))
  const tags = await client.send(new iam.ListOpenIDConnectProviderTagsCommand(provider))
  assert.deepEqual(tags.Tags, [{ Key: 'site', Value: 'north' }])
  assert.equal(tags.IsTruncated, false)
  assert.deepEqual((await get()).ClientIDList, ['b'])
})

test('a URL is that of an issuer, and is there once, whatever its case', async (t) => {
  const { client } = await started(t)
  const create = (url: string) => client.send(new iam.CreateOpenIDConnectProviderCommand({ Url: url }))
  for (const wrong of [
    'http://issuer.example',
    'issuer.example',
    'https://',
    'https://Issuer.example',
    'https://issuer.example:443',
    'https://issuer.example/../a',
    'https://issuer.example/a?b',
    'https://issuer.example/#a',
    'https://issuer.example/a b',
    'https://issuer.example/*',
    'https://issuer.example/a:b',
    'https://issuer.example/${aws:username}',
    'https://a:b@issuer.example',
    'https://[::1]/a',
    'https://issuer.example/a\n',
  ])
    await assert.rejects(create(wrong), { name: 'InvalidInputException' }, wrong)
  await assert.rejects(create(`https://${'a'.repeat(255)}`), { name: 'ValidationError' })
  await create(Url)
  await create(`${Url}/`)
  await create('https://issuer.example:8443/A')
  for (const known of [Url, 'https://issuer.example:8443/a'])
    await assert.rejects(create(known), { name: 'EntityAlreadyExistsException' })
})

test('there are Amazon’s bounds', async (t) => {
  const { client } = await started(t)
  const names = (count: number) => Array.from({ length: count }, (_one, n) => `client-${String(n)}`)
  const exceeded = { name: 'LimitExceededException' }
  const create = (more: Partial<iam.CreateOpenIDConnectProviderCommandInput>) =>
    client.send(new iam.CreateOpenIDConnectProviderCommand({ Url, ...more }))
  const prints = (count: number) => Array.from({ length: count }, (_one, n) => String(n).repeat(40))
  await assert.rejects(create({ ClientIDList: names(101) }), exceeded)
  await assert.rejects(create({ ClientIDList: [''] }), { name: 'ValidationError' })
  await assert.rejects(create({ ClientIDList: ['x'.repeat(256)] }), { name: 'ValidationError' })
  await assert.rejects(create({ ThumbprintList: prints(6) }), exceeded)
  await assert.rejects(create({ ThumbprintList: ['0'] }), { name: 'ValidationError' })
  await assert.rejects(create({ ThumbprintList: ['x'.repeat(40)] }), { name: 'InvalidInputException' })
  await create({ ClientIDList: names(100), ThumbprintList: prints(5) })
  const add = (ClientID: string) =>
    client.send(new iam.AddClientIDToOpenIDConnectProviderCommand({ OpenIDConnectProviderArn, ClientID }))
  await assert.rejects(add('one-more'), exceeded)
  await add('client-0')
  for (let n = 1; n < 100; n++) await create({ Url: `https://issuer-${String(n)}.example` })
  await assert.rejects(create({ Url: 'https://one-more.example' }), exceeded)
})

test('trust policies name providers by ARN, key policies and others do not', async (t) => {
  const { service, client } = await started(t)
  const trust = (Principal: unknown) =>
    client.send(
      new iam.CreateRoleCommand({
        RoleName: `role-${Math.random().toString(36).slice(2)}`,
        AssumeRolePolicyDocument: trustPolicy({ Principal, Action: 'sts:AssumeRoleWithWebIdentity' }),
      }),
    )
  await trust({ Federated: arnOf('not.yet/there') })
  await trust({ Federated: [arnOf('a'), arnOf('b')], AWS: '111122223333', Service: 'ec2.amazonaws.com' })
  for (const wrong of [
    { Federated: '*' },
    { Federated: arnOf('') },
    { Federated: arnOf('a/*') },
    { Federated: 'accounts.google.com' },
    { Federated: 'arn:aws:iam::111122223333:saml-provider/a' },
    { AWS: arnOf('a') },
    { Federated: [] },
    {},
  ])
    await assert.rejects(trust(wrong), { name: 'MalformedPolicyDocumentException' }, JSON.stringify(wrong))
  const Policy = trustPolicy({ Principal: { Federated: arnOf('a') }, Action: 'kms:*', Resource: '*' })
  await assert.rejects(
    service.kms().send(new CreateKeyCommand({ Policy, BypassPolicyLockoutSafetyCheck: true })),
    {
      name: 'MalformedPolicyDocumentException',
      message: /Federated/,
    },
  )
})

test('a trust policy shows its providers also where somebody else it names is gone', async (t) => {
  const { service, client } = await started(t)
  await service.makeUser('leaver')
  const federated = { Principal: { Federated: arnOf('a') }, Action: 'sts:AssumeRoleWithWebIdentity' }
  const leaver = { Principal: { AWS: 'arn:aws:iam::111122223333:user/leaver' } }
  await service.makeRole('both', [federated, leaver])
  const [key] =
    (await client.send(new iam.ListAccessKeysCommand({ UserName: 'leaver' }))).AccessKeyMetadata ?? []
  await client.send(new iam.DeleteAccessKeyCommand({ UserName: 'leaver', AccessKeyId: key?.AccessKeyId }))
  await client.send(new iam.DeleteUserCommand({ UserName: 'leaver' }))
  const { Role } = await client.send(new iam.GetRoleCommand({ RoleName: 'both' }))
  const shown: unknown = JSON.parse(decodeURIComponent(Role?.AssumeRolePolicyDocument ?? ''))
  assert.partialDeepStrictEqual(shown, { Statement: [{ Principal: { Federated: arnOf('a') } }] })
  assert.match(JSON.stringify(shown), /"AWS":"AIDA[A-Z2-7]{16}"/)
})

test('a database from before there were providers gets their table', async (t) => {
  const { service, client } = await started(t)
  const alice = await service.makeUser('alice')
  client.destroy()
  await service.reopen(() => {
    const database = new DatabaseSync(join(service.directory, 'kms.db'))
    database.exec('DROP TABLE oidc_providers; PRAGMA user_version = 2')
    database.close()
  })
  await service.iam().send(new iam.CreateOpenIDConnectProviderCommand({ Url }))
  await service.sts(alice).send(new GetCallerIdentityCommand({}))
  await service.reopen()
  const list = await service.iam().send(new iam.ListOpenIDConnectProvidersCommand({}))
  assert.deepEqual(list.OpenIDConnectProviderList, [{ Arn: OpenIDConnectProviderArn }])
})
