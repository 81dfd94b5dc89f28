import {
  CreateKeyCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  ListGrantsCommand,
  PutKeyPolicyCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { startTestService } from '../../test/support/kms-service.ts'
import { until } from '../../test/support/until.ts'
import { AwsAccess } from '../aws/access.ts'
import { usesInWindow } from './window-uses.ts'

const account = 'arn:aws:iam::111122223333'
const policy = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { AWS: `${account}:root` }, Action: 'kms:*', Resource: '*' }],
}

/** A window that root opens, in which mariadb encrypts, and somebody looks at the grants and writes a key policy. */
async function usedWindow(t: TestContext) {
  const service = await startTestService(t)
  const root = service.kms()
  const mariadb = service.kms(await service.makeUser('mariadb', { Action: 'kms:Encrypt' }))
  const other = service.kms(
    await service.makeUser('other', { Action: ['kms:ListGrants', 'kms:PutKeyPolicy'] }),
  )
  const { credentials, endpoint, region } = service.clientConfig()
  const access = new AwsAccess({ credentials, region, endpointUrl: endpoint })
  t.after(() => {
    for (const client of [root, mariadb, other]) client.destroy()
    access.close()
  })
  const { KeyMetadata } = await root.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.Arn ?? assert.fail()
  await root.send(new DisableKeyCommand({ KeyId }))
  await assert.rejects(mariadb.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('early') })))
  const second = Math.floor(Date.now() / 1000)
  // The trail's times are whole seconds.
  await until('the next second has begun', () => Math.floor(Date.now() / 1000) > second)
  const opened = await root.send(new EnableKeyCommand({ KeyId }))
  const openedAt = Date.now()
  await root.send(new DescribeKeyCommand({ KeyId }))
  await mariadb.send(new EncryptCommand({ KeyId, Plaintext: Buffer.from('text') }))
  await other.send(new ListGrantsCommand({ KeyId }))
  await other.send(new PutKeyPolicyCommand({ KeyId, PolicyName: 'default', Policy: JSON.stringify(policy) }))
  const closed = await root.send(new DisableKeyCommand({ KeyId }))
  return {
    access,
    times: {
      keyArn: KeyId,
      openedAt,
      closedAt: Date.now(),
      openingId: opened.$metadata.requestId,
      closingId: closed.$metadata.requestId,
    },
    watched: { expected: [`${account}:user/mariadb`], ownAccessKeyId: credentials.accessKeyId, patience: 0 },
  }
}

test('what others did in the window is told, and who used the key unexpectedly; what the window itself did is not', async (t) => {
  const { access, times, watched } = await usedWindow(t)
  const { uses, isComplete, isCutShort } = await usesInWindow(access, times, watched)
  assert.deepEqual(
    uses.map(({ principal, operation, isExpected }) => [principal, operation, isExpected]),
    [
      [`${account}:user/mariadb`, 'Encrypt', true],
      [`${account}:user/other`, 'ListGrants', undefined],
      [`${account}:user/other`, 'PutKeyPolicy', false],
    ],
  )
  assert.deepEqual([isComplete, isCutShort], [true, false])
  const anybody = await usesInWindow(access, times, { ...watched, expected: [] })
  assert.deepEqual(
    anybody.uses.map(({ isExpected }) => isExpected),
    [undefined, undefined, undefined],
  )
})

test('a trail that lacks the end of the window is not complete', async (t) => {
  const { access, times, watched } = await usedWindow(t)
  const late = await usesInWindow(access, { ...times, closingId: 'not there yet' }, watched)
  assert.equal(late.isComplete, false)
  let waits = 0
  const onWait = () => (waits += 1)
  await usesInWindow(access, { ...times, closingId: 'not there yet' }, { ...watched, patience: 1500, onWait })
  assert.ok(waits >= 1)
  const unknown = await usesInWindow(access, { ...times, closingId: undefined }, watched)
  assert.deepEqual([unknown.isComplete, unknown.uses.length], [undefined, 3])
})
