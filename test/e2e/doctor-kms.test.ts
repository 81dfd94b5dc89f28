import {
  CancelKeyDeletionCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  type KMSClient,
  ScheduleKeyDeletionCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { copyFileSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { keyPolicy } from '../../src/cli/demo/kms-setup.ts'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { codesIn, type Diagnosis, diagnosisOf, fileFolder, forbidCoreDumps } from '../support/doctor-stack.ts'
import {
  agentIsReady,
  agentStack,
  asAdministrator,
  generateCalls,
  setUserAccess,
} from '../support/running-stack.ts'
import { strongroom } from '../support/strongroom.ts'
import { until } from '../support/until.ts'

/** An agent with three keys under an alias; there is no server, so what concerns one is not checked. */
async function keyedStack(t: TestContext): Promise<Stack> {
  forbidCoreDumps()
  const stack = await agentStack({
    keyring: { 'master-key-id': 'alias/mariadb' },
    server: { 'secure-file-priv': fileFolder(t) },
  })
  t.after(() => stack.remove())
  await until('the agent is ready', () => agentIsReady(stack))
  await keys(stack, 'create', '1')
  await keys(stack, 'rotate', '1')
  await keys(stack, 'create', '2')
  return stack
}

async function keys(stack: Stack, ...words: string[]): Promise<void> {
  const { code, stderr } = await strongroom(['keys', ...words, `--config=${configFile(stack)}`])
  assert.equal(code, 0, stderr)
}

function configFile(stack: Stack): string {
  return join(stack.agentDirectory, 'agent.conf')
}

/** The findings about the agent, the KMS and the keys. */
async function found(stack: Stack): Promise<{ codes: string[]; diagnosis: Diagnosis }> {
  const { diagnosis, output } = await diagnosisOf(stack)
  const credentials = readFileSync(stack.user.credentialsFile, 'utf8')
  const secret = /^aws_secret_access_key = (.+)$/m.exec(credentials)?.[1] ?? assert.fail()
  assert.ok(!output.includes(secret))
  return { codes: codesIn(diagnosis), diagnosis }
}

async function administrate(stack: Stack, act: (kms: KMSClient) => Promise<unknown>): Promise<void> {
  await asAdministrator(stack, act)
}

test('what is wrong at the KMS, with the keys and with the agent', async (t) => {
  const stack = await keyedStack(t)
  const KeyId = stack.masterKeyArn
  const file = (name: string) => join(stack.dataDirectory, `aws-kms-key.${name}`)
  const aside = join(stack.directory, 'aside')

  await t.test('all is well, and no key was made by looking', async () => {
    const made = generateCalls(stack)
    const { codes } = await found(stack)
    assert.deepEqual(codes, [])
    // The dry runs are in the trail; no file came of them.
    assert.ok(generateCalls(stack) > made)
    const list = await strongroom(['keys', 'list', '--json', `--config=${configFile(stack)}`])
    assert.equal([...list.stdout.matchAll(/"keyId"/g)].length, 3)
  })

  await t.test('a disabled master key', async () => {
    await administrate(stack, (kms) => kms.send(new DisableKeyCommand({ KeyId })))
    const { codes, diagnosis } = await found(stack)
    assert.deepEqual(codes, ['SRD_MASTER_KEY_DISABLED'])
    assert.ok(diagnosis.notChecked.some(({ about }) => about === 'the key files'))
  })

  await t.test('a master key that will be deleted, with the date', async () => {
    const DeletionDate = await asAdministrator(
      stack,
      async (kms) =>
        (await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }))).DeletionDate,
    )
    const { codes, diagnosis } = await found(stack)
    assert.deepEqual(codes, ['SRD_MASTER_KEY_PENDING_DELETION'])
    assert.ok(diagnosis.findings[0]?.what.includes(DeletionDate?.toISOString() ?? 'no date'))
    await administrate(stack, (kms) => kms.send(new CancelKeyDeletionCommand({ KeyId })))
    await administrate(stack, (kms) => kms.send(new EnableKeyCommand({ KeyId })))
  })

  await t.test('an alias that was moved', async () => {
    const Policy = JSON.stringify(keyPolicy(stack.user.arn))
    await asAdministrator(stack, async (kms) => {
      const { KeyMetadata } = await kms.send(new CreateKeyCommand({ Policy }))
      await kms.send(new UpdateAliasCommand({ AliasName: 'alias/mariadb', TargetKeyId: KeyMetadata?.KeyId }))
    })
    assert.deepEqual((await found(stack)).codes, ['SRD_ALIAS_MOVED'])
    await administrate(stack, (kms) =>
      kms.send(
        new UpdateAliasCommand({ AliasName: 'alias/mariadb', TargetKeyId: KeyId.replace(/^.*\//, '') }),
      ),
    )
  })

  await t.test('missing rights, and rights beyond need', async () => {
    await setUserAccess(stack, false)
    const { codes, diagnosis } = await found(stack)
    assert.deepEqual(codes, ['SRD_RIGHTS_MISSING', 'SRD_RIGHTS_MISSING', 'SRD_RIGHTS_MISSING'])
    for (const action of ['Decrypt', 'DescribeKey', 'GenerateDataKeyWithoutPlaintext'])
      assert.ok(
        diagnosis.findings.some(({ what }) => what.includes(`kms:${action},`)),
        action,
      )
    await setUserAccess(stack, true)
    await administrate(stack, (kms) =>
      kms.send(
        new CreateGrantCommand({
          KeyId,
          GranteePrincipal: stack.user.arn,
          Operations: ['CreateGrant', 'Decrypt', 'Encrypt'],
        }),
      ),
    )
    const rich = await found(stack)
    assert.deepEqual(rich.codes, ['SRD_RIGHTS_NEEDLESS'])
    assert.match(rich.diagnosis.findings[0]?.what ?? '', /kms:Encrypt, kms:CreateGrant/)
  })

  await t.test('old key files too: missing, altered, another’s', async () => {
    // From here on the needless rights are known.
    const codesOf = async () => (await found(stack)).codes.filter((code) => code !== 'SRD_RIGHTS_NEEDLESS')
    renameSync(file('1.1'), aside)
    copyFileSync(file('1.2'), `${aside}.2`)
    copyFileSync(file('2.1'), file('1.2'))
    copyFileSync(file('2.1'), file('9.1'))
    // It watches its store, but is told of a change in its own time.
    await until('the agent has seen it', async () => (await codesOf()).includes('SRD_AGENT_NOT_READY'))
    const { diagnosis } = await found(stack)
    const where = diagnosis.findings.map((one) =>
      `${one.code} ${/\d+\.\d+$/.exec(one.where)?.[0] ?? ''}`.trim(),
    )
    assert.deepEqual(
      where.filter((one) => one !== 'SRD_RIGHTS_NEEDLESS'),
      ['SRD_AGENT_NOT_READY', 'SRD_KEY_MISSING 1.1', 'SRD_KEY_DAMAGED 1.2', 'SRD_KEY_STRAY 9.1'],
    )
    renameSync(aside, file('1.1'))
    renameSync(`${aside}.2`, file('1.2'))
    rmSync(file('9.1'))
    await until('the agent is content again', async () => (await codesOf()).length === 0)
  })

  await t.test('a region where the master key is not', async () => {
    await stack.agent.stop()
    const former = readFileSync(configFile(stack), 'utf8')
    writeFileSync(configFile(stack), former.replace(/^region = .*$/m, 'region = eu-west-1'))
    const { codes } = await found(stack)
    assert.ok(codes.includes('SRD_AGENT_DOWN') && codes.includes('SRD_MASTER_KEY_REGION'), codes.join())
    writeFileSync(configFile(stack), former)
  })

  await t.test('without an agent doctor asks with the agent’s credentials', async () => {
    const { codes } = await found(stack)
    assert.deepEqual(codes, ['SRD_AGENT_DOWN', 'SRD_RIGHTS_NEEDLESS'])
    const former = readFileSync(stack.user.credentialsFile, 'utf8')
    writeFileSync(
      stack.user.credentialsFile,
      former.replace(/(aws_access_key_id = ).*/, '$1AKIAIOSFODNN7EXAMPLE'),
    )
    assert.deepEqual((await found(stack)).codes, ['SRD_AGENT_DOWN', 'SRD_KMS_CREDENTIALS'])
    writeFileSync(stack.user.credentialsFile, former)
  })

  await t.test('a KMS that is not there', async () => {
    await stack.kms.stop()
    assert.deepEqual((await found(stack)).codes, ['SRD_AGENT_DOWN', 'SRD_KMS_UNREACHABLE'])
  })
})
