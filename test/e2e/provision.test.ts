import { ListAccessKeysCommand } from '@aws-sdk/client-iam'
import { GetKeyPolicyCommand, ListAliasesCommand, ListKeysCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { z } from 'zod'
import { startFailingProxy } from '../support/failing-proxy.ts'
import { startKmsProxy } from '../support/kms-proxy.ts'
import { provisionedHost, provisioningSite, requireProved, run } from '../support/provisioning-site.ts'
import { program } from '../support/strongroom.ts'

const aws = '/usr/bin/aws'

test('from nothing to a server whose rights are proved, and again', async (t) => {
  const site = await provisioningSite(t)
  const { directory, url, environment, root, provision, result: made } = site
  const file = join(directory, 'db1.credentials')

  const dry = await provision('db1', '--dry-run', '--json', '--keyring-id', 'a'.repeat(32))
  assert.equal(dry.code, 0, dry.stderr)
  const shown = z
    .object({
      calls: z.array(z.object({ operation: z.string(), input: z.looseObject({}) })),
      policies: z.object({ key: z.looseObject({}) }),
    })
    .parse(JSON.parse(dry.stdout))
  assert.deepEqual((await root.kms.send(new ListKeysCommand({}))).Keys, [], 'nothing was made')
  const text = await provision('db1', '--dry-run', '--keyring-id', 'a'.repeat(32))
  assert.match(text.stdout, /^iam CreateUser\n\{\n {2}"UserName": "strongroom-db1"/)
  assert.match(text.stdout, /\npolicy of the master key:\n\{\n/)

  const unasked = await provision('db1', '--credentials-out', file)
  assert.deepEqual([unasked.code, unasked.stdout], [2, ''])
  assert.match(unasked.stderr, /no terminal at which to ask/)

  const terminal = [join(import.meta.dirname, 'kms-terminal.py'), '["n"]']
  const command = [program, 'provision', 'db1', '--credentials-out', file, '--endpoint-url', url]
  const asked = await run('python3', [...terminal, ...command], environment)
  assert.match(
    asked.stdout,
    /iam CreateUser: create the IAM user strongroom-db1\r\n[^]*Make these calls\? \[y\/N\]: [^]*nothing was changed\r\n$/,
  )
  assert.deepEqual((await root.kms.send(new ListKeysCommand({}))).Keys, [], 'nothing was made then either')

  const first = await made('db1', '--credentials-out', file, '--keyring-id', 'a'.repeat(32))
  requireProved(first)
  assert.deepEqual(
    first.calls.map(({ operation }) => operation),
    shown.calls.map(({ operation }) => operation),
  )
  const { Policy = '' } = await root.kms.send(
    new GetKeyPolicyCommand({ KeyId: first.masterKey.arn, PolicyName: 'default' }),
  )
  assert.deepEqual(JSON.parse(Policy), shown.policies.key, 'as the dry run showed it')
  assert.equal(statSync(file).mode & 0o777, 0o600)

  const again = await provision('db1', '--credentials-out', file, '--yes')
  assert.equal(again.code, 0, again.stderr)
  assert.match(again.stderr, /everything is there as it must be/)
  assert.match(again.stdout, /^administrator +kms:Decrypt +must be refused +is$/m)
  const secret = /aws_secret_access_key = (\S+)/.exec(readFileSync(file, 'utf8'))?.[1] ?? ''
  assert.equal(secret.length, 40)
  for (const output of [again.stdout, again.stderr, JSON.stringify(first)])
    assert.ok(!output.includes(secret))

  await t.test(
    'an agent that is configured as it says makes keys of this keyring, and of no other',
    async (t) => {
      const step = first.nextSteps.at(-1) ?? ''
      assert.equal(
        step,
        `there: strongroom mariadb configure --master-key-id ${first.masterKey.arn} --region us-east-1 --endpoint-url ${url} --keyring-id ${'a'.repeat(32)}`,
      )
      const keyringFor = async (id: string) => {
        const home = join(directory, `host-${id.slice(0, 1)}`)
        mkdirSync(home)
        const host = await provisionedHost(
          t,
          { ...site, directory: home },
          { 'master-key-id': first.masterKey.arn, 'credentials-file': file, 'keyring-id': id },
        )
        return await host.createKey(1)
      }
      const own = await keyringFor('a'.repeat(32))
      assert.equal(own.code, 0, own.stderr)
      const other = await keyringFor('b'.repeat(32))
      assert.equal(other.code, 1)
      assert.match(other.stderr, /SR_KMS_ACCESS_DENIED/)
    },
  )
})

test(
  "the script for AWS's command line makes what provision makes",
  { skip: existsSync(aws) ? false : `the distribution's AWS CLI (${aws}) is not installed` },
  async (t) => {
    const { directory, environment, provision, result: made, root } = await provisioningSite(t)
    const emitted = await provision(
      'db1',
      '--emit',
      'cli',
      '--keyring-id',
      'generate',
      '--account-id',
      '111122223333',
    )
    assert.equal(emitted.code, 0, emitted.stderr)
    const keyringId = /the id of the keyring is ([0-9a-f]{32})/.exec(emitted.stderr)?.[1] ?? ''
    const [script, file] = [join(directory, 'db1.sh'), join(directory, 'db1.credentials')]
    writeFileSync(script, emitted.stdout)
    const env = { ...environment, PATH: `/usr/bin:${process.env['PATH'] ?? ''}` }
    const ran = await run('sh', [script, file], env)
    assert.equal(ran.code, 0, ran.stderr)
    assert.match(ran.stdout, /^[0-9a-f-]{36}\n$/, 'the key id, and no secret')
    assert.equal(statSync(file).mode & 0o777, 0o600)

    const after = await made('db1', '--credentials-out', file, '--keyring-id', keyringId)
    assert.deepEqual(after.calls, [], 'there is nothing that provision would change')
    requireProved(after)
    assert.equal(after.masterKey.arn.split('/').at(-1), ran.stdout.trim())
    const twice = await run('sh', [script, file], env)
    assert.deepEqual([twice.code, twice.stdout], [1, ''])
    assert.match(twice.stderr, /is there already/)
    assert.equal((await root.kms.send(new ListKeysCommand({}))).Keys?.length, 1)
  },
)

test('killed at any of its calls, the next run ends in the same state', async (t) => {
  const { directory, environment, url, root, result: made } = await provisioningSite(t)
  const proxy = await startFailingProxy(t, url)
  for (const operation of ['CreateUser', 'CreateKey', 'CreateAlias', 'CreateAccessKey']) {
    const file = join(directory, `${operation}.credentials`)
    const args = ['provision', operation, '--credentials-out', file, '--yes', '--endpoint-url', proxy.url]
    const kept = proxy.keepAnswer(operation)
    const child = spawn(program, args, { env: environment, stdio: 'ignore' })
    const ended = once(child, 'exit')
    await kept
    child.kill('SIGKILL')
    await ended

    const after = await made(operation, '--credentials-out', file)
    requireProved(after)
    const UserName = `strongroom-${operation}`
    const { AccessKeyMetadata } = await root.iam.send(new ListAccessKeysCommand({ UserName }))
    assert.deepEqual(
      AccessKeyMetadata?.map(({ AccessKeyId }) => AccessKeyId),
      [after.accessKeyId],
    )
    const { Aliases } = await root.kms.send(new ListAliasesCommand({ KeyId: after.masterKey.arn }))
    assert.deepEqual(
      Aliases?.map(({ AliasName }) => AliasName),
      [`alias/strongroom-${operation}`],
    )
  }
  assert.equal((await root.kms.send(new ListKeysCommand({}))).Keys?.length, 4, 'one for each')
})

test('a right that should not be there, and one that can not be proved, make it fail', async (t) => {
  const { directory, provision, result: made, environment, url } = await provisioningSite(t)
  const file = join(directory, 'db1.credentials')
  const { masterKey } = await made('db1', '--credentials-out', file)

  // A KMS that would let everybody encrypt.
  const proxy = await startKmsProxy(t, url)
  proxy.answerBy((operation) => (operation === 'Encrypt' ? 'DryRunOperationException' : undefined))
  const args = ['provision', 'db1', '--credentials-out', file, '--yes', '--endpoint-url', proxy.url]
  const failed = await run(program, args, environment)
  assert.equal(failed.code, 1)
  assert.deepEqual(failed.stdout.match(/^\S+ +\S+ .*FAILED.*$/gm), [
    /^server +kms:Encrypt +must be refused +FAILED: allowed$/m.exec(failed.stdout)?.[0],
    /^administrator +kms:Encrypt +must be refused +FAILED: allowed$/m.exec(failed.stdout)?.[0],
  ])
  assert.match(failed.stderr, /not as it must be: kms:Encrypt \(DryRunOperationException/)

  // A CreateKey that may have been carried out is not sent again by itself.
  proxy.answerBy((operation) => (operation === 'CreateKey' ? 'KMSInternalException' : undefined))
  const second = ['provision', 'db2', '--credentials-out', join(directory, 'db2'), '--yes']
  const unmade = await run(program, [...second, '--endpoint-url', proxy.url], environment)
  assert.equal(unmade.code, 1)
  assert.match(unmade.stderr, /cannot create the master key: .*KMSInternalException/)
  assert.equal(proxy.operations.filter((operation) => operation === 'CreateKey').length, 1)

  const disabled = await run(
    program,
    ['master-key', 'disable', masterKey.arn, '--endpoint-url', url],
    environment,
  )
  assert.equal(disabled.code, 0, disabled.stderr)
  const unproved = await provision('db1', '--credentials-out', file, '--yes')
  assert.equal(unproved.code, 1)
  assert.match(unproved.stderr, /not proved: the master key is not enabled/)
})
