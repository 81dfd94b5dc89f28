import { CreateKeyCommand, ListKeysCommand } from '@aws-sdk/client-kms'
import { AssumeRoleCommand, type AssumeRoleCommandInput } from '@aws-sdk/client-sts'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Statement } from '../../../../test/support/identities.ts'
import { startWithOperator } from '../../../../test/support/sts-session.ts'

const roleArn = (name: string): string => `arn:aws:iam::111122223333:role/${name}`
const byAlice = { Principal: { AWS: 'arn:aws:iam::111122223333:user/alice' } }
const tagSession = { ...byAlice, Action: ['sts:AssumeRole', 'sts:TagSession'] }
const denied = { name: 'AccessDenied' }
const invalid = { name: 'ValidationError' }

test('tags need sts:TagSession, and conditions see them', async (t) => {
  const { service, assume } = await startWithOperator(t, [
    byAlice,
    {
      ...byAlice,
      Action: 'sts:TagSession',
      Condition: {
        StringEquals: { 'aws:RequestTag/team': ['db', 'web'] },
        'ForAllValues:StringEquals': { 'aws:TagKeys': ['team', 'site'], 'sts:TransitiveTagKeys': ['team'] },
      },
    },
  ])
  const tags = (...pairs: [string, string][]) => pairs.map(([Key, Value]) => ({ Key, Value }))
  await assume({ Tags: tags(['team', 'db']), TransitiveTagKeys: ['team'] })
  await assume({ Tags: tags(['team', 'web'], ['site', 'x']) })
  await assert.rejects(assume({ Tags: tags(['team', 'other']) }), denied)
  await assert.rejects(assume({ Tags: tags(['team', 'db'], ['color', 'x']) }), denied)
  await assert.rejects(
    assume({ Tags: tags(['team', 'db'], ['site', 'x']), TransitiveTagKeys: ['site'] }),
    denied,
  )
  await service.makeRole('untagged', [byAlice])
  await assert.rejects(assume({ RoleArn: roleArn('untagged'), Tags: tags(['team', 'db']) }), denied)
  await assume({ RoleArn: roleArn('untagged') })
})

test('tags that contradict themselves are refused', async (t) => {
  const { assume } = await startWithOperator(t, [tagSession])
  const tag = (Key: string) => ({ Key, Value: 'x' })
  await assert.rejects(assume({ Tags: [tag('team'), tag('Team')] }), invalid)
  await assert.rejects(assume({ Tags: [tag('aws:team')] }), invalid)
  await assert.rejects(assume({ Tags: [tag('team')], TransitiveTagKeys: ['site'] }), {
    name: 'ValidationError',
    message: 'The specified transitive tag key must be included in the requested tags.',
  })
  await assume({ Tags: [tag('Team')], TransitiveTagKeys: ['team'] })
})

test('a session’s tags are what aws:PrincipalTag holds, over those of the role', async (t) => {
  const condition = { StringEquals: { 'aws:PrincipalTag/team': 'db' } }
  const { service, assume } = await startWithOperator(t, [tagSession], {
    Action: 'kms:ListKeys',
    Condition: condition,
  })
  const list = async (Tags: AssumeRoleCommandInput['Tags']) =>
    service.kms(await assume({ Tags })).send(new ListKeysCommand({}))
  await list([{ Key: 'team', Value: 'db' }])
  await assert.rejects(list([{ Key: 'team', Value: 'web' }]), { name: 'AccessDeniedException' })
  await assert.rejects(list([]), { name: 'AccessDeniedException' })
})

test('transitive tags go along the chain, the others do not, and none is changed', async (t) => {
  const all = { Principal: '*', Action: ['sts:AssumeRole', 'sts:TagSession'] }
  const { service, assume } = await startWithOperator(t, [all], { Action: 'sts:*' })
  const needs = (key: string, value: string): Statement => ({
    Action: `kms:${key === 'team' ? 'ListKeys' : 'CreateKey'}`,
    Condition: { StringEquals: { [`aws:PrincipalTag/${key}`]: value } },
  })
  await service.makeRole('second', [all], needs('team', 'db'), needs('site', 'north'), { Action: 'sts:*' })
  await service.makeRole('third', [all], needs('team', 'db'), needs('site', 'north'))
  await service.makeRole('closed', [{ Principal: '*' }])
  const first = await assume({
    Tags: [
      { Key: 'team', Value: 'db' },
      { Key: 'site', Value: 'north' },
    ],
    TransitiveTagKeys: ['team'],
  })
  const second = await assume({ RoleArn: roleArn('second') }, first)
  const third = await assume({ RoleArn: roleArn('third') }, second)
  for (const session of [second, third]) {
    await service.kms(session).send(new ListKeysCommand({}))
    await assert.rejects(service.kms(session).send(new CreateKeyCommand({})), {
      name: 'AccessDeniedException',
    })
  }
  const Tags = [{ Key: 'Team', Value: 'web' }]
  await assert.rejects(assume({ RoleArn: roleArn('third'), Tags }, second), invalid)
  await assert.rejects(
    assume({ RoleArn: roleArn('closed') }, second),
    denied,
    'inherited tags need TagSession',
  )
  const own = await assume({ RoleArn: roleArn('third'), Tags: [{ Key: 'site', Value: 'north' }] }, second)
  await service.kms(own).send(new CreateKeyCommand({}))
})

test('a source identity needs sts:SetSourceIdentity, stays along the chain, and can’t be changed', async (t) => {
  const all = { Principal: '*', Action: ['sts:AssumeRole', 'sts:SetSourceIdentity'] }
  const asAlice = { StringEquals: { 'sts:SourceIdentity': 'alice' } }
  const { service, alice, assume } = await startWithOperator(t, [{ ...all, Condition: asAlice }], {
    Action: 'sts:SetSourceIdentity',
  })
  const condition = { StringEquals: { 'aws:SourceIdentity': 'alice' } }
  await service.makeRole('second', [all], { Action: 'kms:ListKeys', Condition: condition })
  await service.makeRole('closed', [{ Principal: '*' }])
  await assert.rejects(assume(), denied)
  await assert.rejects(assume({ SourceIdentity: 'bob' }), denied)
  await assert.rejects(assume({ RoleArn: roleArn('closed'), SourceIdentity: 'alice' }), denied)
  const command = new AssumeRoleCommand({
    RoleArn: roleArn('operator'),
    RoleSessionName: 'shift',
    SourceIdentity: 'alice',
  })
  assert.equal((await service.sts(alice).send(command)).SourceIdentity, 'alice')
  const first = await assume({ SourceIdentity: 'alice' })
  const second = await assume({ RoleArn: roleArn('second') }, first)
  await service.kms(second).send(new ListKeysCommand({}))
  await assert.rejects(assume({ RoleArn: roleArn('second'), SourceIdentity: 'bob' }, first), invalid)
  await assume({ RoleArn: roleArn('second'), SourceIdentity: 'alice' }, first)
  await assert.rejects(assume({ RoleArn: roleArn('closed') }, first), denied, 'the trust has to allow it')
  await assert.rejects(
    assume({ RoleArn: roleArn('operator') }, second),
    denied,
    'so have the caller’s policies',
  )
})
