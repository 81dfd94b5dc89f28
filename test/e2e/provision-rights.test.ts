import {
  DecryptCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  ListGrantsCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { AwsAccess } from '../../src/aws/access.ts'
import { CredentialsFile } from '../../src/provisioning/credentials-file.ts'
import { makeUser } from '../support/identities.ts'
import {
  provisionedHost,
  type ProvisioningSite,
  provisioningSite,
  requireProved,
} from '../support/provisioning-site.ts'
import { enableDevice } from '../support/sts-session.ts'
import { program } from '../support/strongroom.ts'
import { startWindow } from '../support/window-command.ts'
import { operatorAt, withMfa } from '../support/with-mfa.ts'

/* What `provision` can't prove, because it has neither a grant nor a code: that those give the server its rights, and no others. */

const denied = { name: 'AccessDeniedException' }

test('with --access grant an agent has its rights in a window of one who may do no more than open it', async (t) => {
  const site = await provisioningSite(t)
  const { directory, url, root, result } = site
  const file = join(directory, 'db1.credentials')
  const made = await result('db1', '--credentials-out', file, '--access', 'grant')
  requireProved(made)
  const { masterKey, keyringId } = made
  const host = await provisionedHost(t, site, {
    'master-key-id': masterKey.arn,
    'credentials-file': file,
    'keyring-id': keyringId,
  })
  const use = server(t, site, { file, masterKeyArn: masterKey.arn })
  const refused = async (keyId: number) => {
    const { code, stderr } = await host.createKey(keyId)
    assert.equal(code, 1)
    assert.match(stderr, /SR_KMS_ACCESS_DENIED/)
    await assert.rejects(use(keyringId), denied)
  }
  await refused(1)

  const ofGrants = ['kms:DescribeKey', 'kms:CreateGrant', 'kms:ListGrants', 'kms:RevokeGrant']
  const operator = await makeUser(root.iam, 'operator', [{ Action: ofGrants }])
  const home = join(directory, 'operator')
  mkdirSync(home)
  const credentialsFile = operatorAt(home, operator).environment['AWS_SHARED_CREDENTIALS_FILE'] ?? ''
  const ready = join(home, 'ready')
  // As it is printed, but for what only the reader knows.
  const [, printed = ''] =
    / strongroom master-key (window .*) COMMAND$/.exec(made.nextSteps.at(-1) ?? '') ?? []
  const command = startWindow(t, { endpointUrl: url, stateDirectory: join(home, 'state'), credentialsFile }, [
    ...printed.split(' '),
    `test -e ${ready}`,
  ])
  await command.says('open; closed again')
  const created = await host.createKey(1)
  assert.equal(created.code, 0, created.stderr)
  await use(keyringId)
  await assert.rejects(use('f'.repeat(32)), denied)
  writeFileSync(ready, '')
  assert.equal((await command.exited).code, 0, command.output())

  assert.deepEqual((await root.kms.send(new ListGrantsCommand({ KeyId: masterKey.arn }))).Grants, [])
  await refused(2)
  const again = await result('db1', '--credentials-out', file, '--access', 'grant')
  assert.deepEqual(again.calls, [])
  requireProved(again)
})

test('with --require-mfa an agent has its rights from a code, and the access key alone gives none', async (t) => {
  const site = await provisioningSite(t)
  const { directory, root, result } = site
  const file = join(directory, 'db1.credentials')
  const made = await result('db1', '--credentials-out', file, '--require-mfa')
  requireProved(made)
  const { masterKey, keyringId } = made
  const host = await provisionedHost(t, site, {
    'master-key-id': masterKey.arn,
    credentials: 'with-mfa',
    'keyring-id': keyringId,
  })
  await assert.rejects(server(t, site, { file, masterKeyArn: masterKey.arn })(keyringId), denied)
  assert.match((await host.createKey(1)).stderr, /SR_KMS_CREDENTIALS_AWAITED/)

  const { app } = await enableDevice(root.iam, 'strongroom-db1', 'strongroom-db1')
  const home = join(directory, 'operator')
  mkdirSync(home)
  // As it is printed, but for the command.
  const [, printed = ''] = / strongroom with-mfa (.*) -- systemctl/.exec(made.nextSteps.at(-1) ?? '') ?? []
  const start = ['--', program, 'keys', 'create', '1', '--config', host.config]
  const { code, stderr } = await withMfa(operatorAt(home, ownKey(file)), app.code(new Date(), 30), [
    ...printed.split(' '),
    ...['--config', host.config],
    ...start,
  ])
  assert.equal(code, 0, stderr)
  assert.equal((await host.createKey(2)).code, 0)
  await assert.rejects(server(t, site, { file, masterKeyArn: masterKey.arn })(keyringId), denied)
})

function ownKey(file: string) {
  const held = new CredentialsFile(file).read()
  assert.ok(held.state === 'whole')
  return held.credentials
}

/** Wraps and unwraps as the server with its access key alone. */
function server(
  t: TestContext,
  { url }: ProvisioningSite,
  { file, masterKeyArn: KeyId }: { file: string; masterKeyArn: string },
): (keyringId: string) => Promise<void> {
  const access = new AwsAccess({ credentials: ownKey(file), region: 'us-east-1', endpointUrl: url })
  t.after(() => {
    access.close()
  })
  return async (keyringId) => {
    const EncryptionContext = { 'strongroom-keyring': keyringId }
    const command = new GenerateDataKeyWithoutPlaintextCommand({
      KeyId,
      EncryptionContext,
      KeySpec: 'AES_256',
    })
    const { CiphertextBlob } = await access.kms.send(command)
    await access.kms.send(new DecryptCommand({ EncryptionContext, CiphertextBlob }))
  }
}
