import {
  CreateKeyCommand,
  DecryptCommand,
  DisableKeyCommand,
  EnableKeyCommand,
  EncryptCommand,
  type KMSClient,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { startKms } from '../support/kms-process.ts'
import { readRootAccessKey } from '../support/kms-service.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { program } from '../support/strongroom.ts'

const magic = 'strongroom root key 1\n'

interface Run {
  readonly code: number | null
  readonly text: string
}

function strongroom(args: readonly string[], env: Readonly<Record<string, string>> = {}): Run {
  const { status, stdout, stderr } = spawnSync(program, args, {
    env: { ...process.env, ...env },
    encoding: 'utf8',
    timeout: 60_000,
  })
  return { code: status, text: stdout + stderr }
}

/** A service with one key, and a blob of that key. */
async function withKey(client: KMSClient): Promise<{ keyId: string; blob: Uint8Array }> {
  const { KeyMetadata } = await client.send(new CreateKeyCommand({}))
  const keyId = KeyMetadata?.Arn ?? ''
  const { CiphertextBlob } = await client.send(
    new EncryptCommand({ KeyId: keyId, Plaintext: Buffer.from('payroll') }),
  )
  return { keyId, blob: CiphertextBlob ?? new Uint8Array() }
}

async function decrypts(client: KMSClient, blob: Uint8Array): Promise<string> {
  const { Plaintext } = await client.send(new DecryptCommand({ CiphertextBlob: blob }))
  return Buffer.from(Plaintext ?? []).toString()
}

/** Every form in which the bytes could lie about. */
function formsOf(secret: Buffer): Buffer[] {
  return [
    secret,
    ...(['hex', 'base64', 'base64url'] as const).map((form) => Buffer.from(secret.toString(form))),
  ]
}

function filesOf(directory: string): Buffer {
  const names = readdirSync(directory).filter((name) => name !== 'admin.sock')
  return Buffer.concat(names.map((name) => readFileSync(join(directory, name))))
}

function secretFile(path: string, content: string): string {
  writeFileSync(path, content, { mode: 0o600 })
  return path
}

test('a root key in the clear moves under a passphrase, with the same keys, and leaves no trace', async (t) => {
  const scratch = scratchDirectory(t)
  const directory = join(scratch, 'kms')
  const first = await startKms(t, { directory })
  assert.match(first.output(), /the root key lies in the clear beside the database/)
  const { blob } = await withKey(first.client())
  await first.stop()
  const rootKey = readFileSync(join(directory, 'root-key')).subarray(magic.length)
  assert.equal(rootKey.length, 32)

  const passphrase = 'correct horse battery staple'
  const file = secretFile(join(scratch, 'passphrase'), `${passphrase}\n`)
  const resealed = strongroom([
    'kms',
    'reseal',
    '--data',
    directory,
    '--seal',
    'passphrase',
    '--new-passphrase-file',
    file,
  ])
  assert.equal(resealed.code, 0, resealed.text)
  assert.match(resealed.text, /was sealed by file and is sealed by passphrase now/)
  assert.equal(existsSync(join(directory, 'root-key')), false)

  const second = await startKms(t, { directory, args: ['--passphrase-file', file, '--log-level', 'trace'] })
  assert.equal(await decrypts(second.client(), blob), 'payroll')
  const everything = Buffer.concat([
    filesOf(directory),
    Buffer.from(second.output() + second.visible() + resealed.text),
  ])
  for (const form of [...formsOf(rootKey), ...formsOf(Buffer.from(passphrase))]) {
    assert.equal(everything.includes(form), false)
  }
  assert.doesNotMatch(second.output(), /in the clear/)
  const inUse = strongroom([
    'kms',
    'reseal',
    '--data',
    directory,
    '--seal',
    'file',
    '--passphrase-file',
    file,
  ])
  assert.equal(inUse.code, 1)
  assert.match(inUse.text, /another KMS service runs on .*: stop it first.*\[SR_KMS_DIRECTORY_IN_USE\]/)
  await second.stop()

  // As systemd's LoadCredential= gives it.
  const credentials = join(scratch, 'credentials')
  mkdirSync(credentials)
  secretFile(join(credentials, 'strongroom-kms-passphrase'), passphrase)
  const third = await startKms(t, { directory, env: { CREDENTIALS_DIRECTORY: credentials } })
  assert.equal(await decrypts(third.client(), blob), 'payroll')
  await third.stop()
})

test('without the right passphrase nothing starts, and nothing changes', async (t) => {
  const scratch = scratchDirectory(t)
  const directory = join(scratch, 'kms')
  const file = secretFile(join(scratch, 'passphrase'), 'correct horse battery staple')
  await (await startKms(t, { directory, args: ['--seal', 'passphrase', '--passphrase-file', file] })).stop()
  const before = filesOf(directory)
  const start = (...args: string[]): Run =>
    strongroom(['kms', '--data', directory, '--listen', '127.0.0.1:0', ...args])
  const wrong = secretFile(join(scratch, 'wrong'), 'incorrect horse battery staple')
  for (const [args, message] of [
    [['--passphrase-file', wrong], /does not open the root key: .*\[SR_KMS_PASSPHRASE\]/],
    [[], /there is no terminal to ask for it: .*--passphrase-file.*\[SR_KMS_PASSPHRASE\]/],
    [['--passphrase-file', join(scratch, 'none')], /cannot read .*none \(ENOENT\).*\[SR_KMS_PASSPHRASE\]/],
    [
      ['--seal', 'file', '--passphrase-file', file],
      /sealed by passphrase, not by file.*\[SR_KMS_SETTINGS_DIFFER\]/,
    ],
  ] as const) {
    const run = start(...args)
    assert.equal(run.code, 1, run.text)
    assert.match(run.text, message)
  }
  chmodSync(file, 0o644)
  assert.match(
    start('--passphrase-file', file).text,
    /open to every user of this machine.*\[SR_KMS_PASSPHRASE\]/,
  )
  assert.deepEqual(filesOf(directory), before)

  const short = secretFile(join(scratch, 'short'), 'elevenbytes')
  const another = join(scratch, 'another')
  const run = strongroom(['kms', '--data', another, '--seal', 'passphrase', '--passphrase-file', short])
  assert.match(run.text, /shorter than 12 bytes.*\[SR_KMS_PASSPHRASE\]/)
  assert.equal(existsSync(join(another, 'kms.db')), false)
})

test('a passphrase is asked for at the terminal, and not shown', async (t) => {
  const directory = join(scratchDirectory(t), 'kms')
  // Python gives the command a terminal of its own, and types.
  const typed = (lines: string[]): string =>
    execFileSync(
      'python3',
      [
        join(import.meta.dirname, 'kms-terminal.py'),
        JSON.stringify(lines),
        program,
        'kms',
        'reseal',
        '--data',
        directory,
        '--seal',
        'passphrase',
      ],
      { encoding: 'utf8' },
    )
  await (await startKms(t, { directory })).stop()
  const differs = typed(['correct horse battery', 'incorrect horse battery'])
  assert.match(differs, /New passphrase from now on: \s*Passphrase of the root key from now on: /)
  assert.match(differs, /\[SR_KMS_PASSPHRASE\]/)
  assert.equal(existsSync(join(directory, 'root-key')), true)
  const same = typed(['correct horsf\x7fe battery', 'correct horse battery'])
  assert.match(same, /sealed by passphrase now/)
  assert.doesNotMatch(differs + same, /horse/)
  const file = secretFile(join(directory, '..', 'passphrase'), 'correct horse battery')
  await (await startKms(t, { directory, args: ['--passphrase-file', file] })).stop()
})

const hasSystemd = spawnSync('systemd-creds', ['--version']).status === 0

test(
  'systemd keeps the root key, and hands it over as a credential',
  { skip: !hasSystemd && 'no systemd-creds' },
  async (t) => {
    const scratch = scratchDirectory(t)
    const directory = join(scratch, 'kms')
    // systemd-creds keeps the key of this machine there, instead of in /var/lib/systemd.
    const host = { SYSTEMD_CREDENTIAL_SECRET: join(scratch, 'credential.secret') }
    const first = await startKms(t, { directory, args: ['--seal', 'systemd'], env: host })
    const { blob } = await withKey(first.client())
    await first.stop()
    assert.equal(existsSync(join(directory, 'root-key')), false)

    const again = await startKms(t, { directory, env: host })
    assert.equal(await decrypts(again.client(), blob), 'payroll')
    await again.stop()

    const credentials = join(scratch, 'credentials')
    mkdirSync(credentials)
    const handedOver = join(credentials, 'strongroom-kms-root-key')
    const stored = join(directory, 'root-key.credential')
    execFileSync('systemd-creds', ['decrypt', '--name=strongroom-kms-root-key', stored, handedOver], {
      env: { ...process.env, ...host },
    })
    const rootKey = readFileSync(handedOver)
    const given = await startKms(t, {
      directory,
      args: ['--log-level', 'trace'],
      env: { CREDENTIALS_DIRECTORY: credentials, SYSTEMD_CREDENTIAL_SECRET: join(scratch, 'of-no-use') },
    })
    assert.equal(await decrypts(given.client(), blob), 'payroll')
    const everything = Buffer.concat([filesOf(directory), Buffer.from(given.output() + given.visible())])
    for (const form of formsOf(rootKey)) assert.equal(everything.includes(form), false)
    await given.stop()

    const start = (env: Record<string, string>): Run =>
      strongroom(['kms', '--data', directory, '--listen', '127.0.0.1:0'], env)
    writeFileSync(handedOver, Buffer.alloc(32))
    assert.match(start({ CREDENTIALS_DIRECTORY: credentials }).text, /\[SR_KMS_ROOT_KEY_WRONG\]/)
    const elsewhere = start({
      SYSTEMD_CREDENTIAL_SECRET: secretFile(join(scratch, 'other'), 'x'.repeat(4112)),
    })
    assert.match(elsewhere.text, /systemd-creds cannot decrypt the root key \(.+\).*\[SR_KMS_SEAL\]/)
    const programs = join(scratch, 'bin')
    mkdirSync(programs)
    for (const name of ['readlink', 'dirname']) {
      symlinkSync(execFileSync('which', [name], { encoding: 'utf8' }).trim(), join(programs, name))
    }
    assert.match(start({ PATH: programs }).text, /systemd-creds cannot be run \(it is not on this machine\)/)
  },
)

test('a KMS seals another: it starts while the key there may be used, and not otherwise', async (t) => {
  const scratch = scratchDirectory(t)
  const [outer, inner] = [join(scratch, 'outer'), join(scratch, 'inner')]
  const sealing = await startKms(t, { directory: outer })
  const { keyId } = await withKey(sealing.client())
  const { accessKeyId, secretAccessKey } = readRootAccessKey(outer)
  const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
  const seal = ['--seal', 'kms', '--seal-key-id', keyId, '--seal-endpoint', sealing.url]
  const first = await startKms(t, { directory: inner, args: seal, env })
  const { blob } = await withKey(first.client())
  await first.stop()

  const again = await startKms(t, { directory: inner, env })
  assert.equal(await decrypts(again.client(), blob), 'payroll')
  await again.stop()
  const serviceId = /"serviceId": "([0-9a-f]{32})"/.exec(
    readFileSync(join(inner, 'root-key.json'), 'utf8'),
  )?.[1]
  const trail = readFileSync(join(outer, 'audit-trail.jsonl'), 'utf8')
  assert.match(trail, new RegExp(`"encryptionContext":\\{"strongroom-kms-service":"${serviceId ?? '-'}"\\}`))

  const start = (more: Record<string, string> = env): Run =>
    strongroom(['kms', '--data', inner, '--listen', '127.0.0.1:0'], more)
  await sealing.client().send(new DisableKeyCommand({ KeyId: keyId }))
  assert.match(
    start().text,
    /did not open the seal .*DisabledException.*enable the key there.*\[SR_KMS_SEAL\]/,
  )
  await sealing.client().send(new EnableKeyCommand({ KeyId: keyId }))
  const nobody = start({ AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE', AWS_SECRET_ACCESS_KEY: 'wrong' })
  assert.match(nobody.text, /UnrecognizedClientException.*\[SR_KMS_SEAL\]/)

  // The seal of another service, under the same key.
  const other = join(scratch, 'other')
  await (await startKms(t, { directory: other, args: seal, env })).stop()
  writeFileSync(join(inner, 'root-key.json'), readFileSync(join(other, 'root-key.json')))
  assert.match(start().text, /belongs to the database of another service.*\[SR_KMS_ROOT_KEY_WRONG\]/)
  writeFileSync(
    join(inner, 'root-key.json'),
    readFileSync(join(other, 'root-key.json'), 'utf8').replace(
      /"serviceId": "[0-9a-f]+"/,
      `"serviceId": "${serviceId ?? ''}"`,
    ),
  )
  assert.match(start().text, /InvalidCiphertextException.*\[SR_KMS_SEAL\]/)
  await sealing.stop()
})

test('a key in the clear does not travel over plain HTTP', (t) => {
  const directory = join(scratchDirectory(t), 'kms')
  const seal = [
    '--seal',
    'kms',
    '--seal-key-id',
    'k',
    '--seal-region',
    'us-east-1',
    '--seal-endpoint',
    'http://kms.example.com',
  ]
  assert.match(
    strongroom(['kms', '--data', directory, ...seal]).text,
    /must be an https URL.*\[SR_KMS_SEAL\]/,
  )
})
