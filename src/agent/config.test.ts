import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { agentOptionNames, readAgentConfig } from './config.ts'

const keyring = '[keyring mariadb]\nstore = directory:/var/lib/mysql\ntoken-file = mariadb.token\n'

test('reads every option, and gives the rest its default', (t) => {
  const directory = scratchDirectory(t)
  const file = join(directory, 'agent.conf')
  writeFileSync(
    file,
    `# comment
[agent]
admin-socket = /run/strongroom/admin.sock
log-level = debug
[vault-listener]
listen = [::1]:8300
[plugin-listener]
directory = run
group = mysql
[keyring mariadb]
store = directory:data
master-key-id = alias/payroll
key-spec = AES_128
region = us-west-2
endpoint-url =              ; empty: Amazon's own
request-timeout = 2500      ; milliseconds
token-file = /etc/strongroom/mariadb.token
credentials-file = credentials
create-keys = 1, 2, 100-199
accept-options-from = plugin
encryption-context = none
keyring-id = 00112233445566778899aabbccddeeff
[keyring second]
store = directory:/srv/second
data-directory = /var/lib/mysql
token-file = second.token
credentials = with-mfa
`,
  )
  const config = readAgentConfig(file)
  const [first, second] = config.keyrings
  assert.equal(config.adminSocket, '/run/strongroom/admin.sock')
  assert.equal(config.logLevel, 'debug')
  assert.deepEqual(config.vaultListener, { address: { host: '::1', port: 8300 }, tls: undefined })
  assert.deepEqual(
    { ...first, creationRule: [1, 3, 150, 200].map((keyId) => first?.creationRule.allows(keyId)) },
    {
      name: 'mariadb',
      storeDirectory: join(directory, 'data'),
      dataDirectory: join(directory, 'data'),
      place: { file, section: 'keyring mariadb' },
      masterKey: {
        masterKeyId: 'alias/payroll',
        keySpec: 'AES_128',
        region: 'us-west-2',
        endpointUrl: undefined,
        requestTimeout: 2500,
      },
      acceptsOptions: true,
      encryptionContext: 'none',
      keyringId: '00112233445566778899aabbccddeeff',
      awaitsCredentials: false,
      credentialsFile: join(directory, 'credentials'),
      profile: undefined,
      tokenFile: '/etc/strongroom/mariadb.token',
      creationRule: [true, false, true, false],
    },
  )
  assert.deepEqual(config.pluginListener, { directory: join(directory, 'run'), group: 'mysql' })
  assert.equal(second?.acceptsOptions, false)
  assert.equal(second.encryptionContext, undefined)
  assert.equal(second.awaitsCredentials, true)
  assert.equal(second.dataDirectory, '/var/lib/mysql')
  assert.equal(second.masterKey.keySpec, undefined)
  assert.equal(second.masterKey.requestTimeout, undefined)
  assert.equal(second.creationRule.allows(4294967295), true)
})

test('there is a Vault listener unless there is only a plugin listener, which needs no token', (t) => {
  const file = join(scratchDirectory(t), 'agent.conf')
  const listeners = (text: string) => {
    writeFileSync(file, text)
    const { vaultListener, pluginListener } = readAgentConfig(file)
    return [vaultListener !== undefined, pluginListener?.directory]
  }
  const tokenless = '[keyring x]\nstore = directory:/a\n'
  assert.deepEqual(listeners(keyring), [true, undefined])
  assert.deepEqual(listeners(`[plugin-listener]\n${tokenless}`), [false, '/run/strongroom'])
  assert.deepEqual(listeners(`[plugin-listener]\n[vault-listener]\n${keyring}`), [true, '/run/strongroom'])
  assert.throws(() => listeners(`[plugin-listener]\n[vault-listener]\n${tokenless}`), {
    message: /\[keyring x\] token-file: is missing/,
  })
})

test('docs/configuration.md has every option, and no other', () => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/configuration.md'), 'utf8')
  for (const [section, names] of Object.entries(agentOptionNames)) {
    const [text = ''] = (page.split(`\n## [${section}]\n`)[1] ?? '').split('\n## ')
    const rows = text.match(/^\| `.*$/gm) ?? []
    const named = rows.flatMap((row) => row.split('|')[1]?.match(/[a-z-]+/g) ?? [])
    assert.deepEqual(named.sort(), names.sort(), section)
  }
})

const faults: { text: string; section: string; says: RegExp }[] = [
  { text: '', section: 'keyring NAME', says: /is missing/ },
  { text: `${keyring}[listener]\n`, section: 'listener', says: /is not a section/ },
  { text: `${keyring}[keyring a b]\n`, section: 'keyring a b', says: /is not a section/ },
  { text: `${keyring}colour = red\n`, section: 'keyring mariadb', says: /colour: is no option/ },
  { text: '[keyring x]\ntoken-file = t\n', section: 'keyring x', says: /store: is missing/ },
  {
    text: '[keyring x]\nstore = /var/lib/mysql\ntoken-file = t\n',
    section: 'keyring x',
    says: /store: must be directory:PATH/,
  },
  { text: '[keyring x]\nstore = directory:/a\n', section: 'keyring x', says: /token-file: is missing/ },
  {
    text: '[keyring x]\nstore = directory:/a\ntoken-file =\n',
    section: 'keyring x',
    says: /token-file: is empty/,
  },
  { text: `${keyring}key-spec = AES_192\n`, section: 'keyring mariadb', says: /key-spec: .*AES_256/ },
  {
    text: `${keyring}endpoint-url = kms.example\n`,
    section: 'keyring mariadb',
    says: /endpoint-url: must be an https URL/,
  },
  {
    text: `${keyring}endpoint-url = http://kms.example\n`,
    section: 'keyring mariadb',
    says: /endpoint-url: must be an https URL/,
  },
  {
    text: `${keyring}request-timeout = 5s\n`,
    section: 'keyring mariadb',
    says: /request-timeout: must be a number/,
  },
  {
    text: `${keyring}request-timeout = 0\n`,
    section: 'keyring mariadb',
    says: /request-timeout: must be 100/,
  },
  {
    text: `${keyring}create-keys = some\n`,
    section: 'keyring mariadb',
    says: /create-keys: "some" is not a key id/,
  },
  {
    text: `${keyring}credentials = none\n`,
    section: 'keyring mariadb',
    says: /credentials: .*with-mfa/,
  },
  {
    text: `${keyring}credentials = with-mfa\n`,
    section: 'keyring mariadb',
    says: /credentials: with-mfa hands them over at \[agent\] admin-socket, which is not set/,
  },
  ...['credentials-file', 'profile'].map((option) => ({
    text: `[agent]\nadmin-socket = a\n${keyring}credentials = with-mfa\n${option} = other\n`,
    section: 'keyring mariadb',
    says: new RegExp(`${option}: with credentials = with-mfa nothing is read from there; remove it`),
  })),
  { text: `${keyring}create-keys = 9-3\n`, section: 'keyring mariadb', says: /create-keys: "9-3"/ },
  {
    text: `${keyring}[vault-listener]\nlisten = localhost\n`,
    section: 'vault-listener',
    says: /listen: "localhost" is not ADDRESS:PORT/,
  },
  {
    text: `${keyring}[vault-listener]\nlisten = 0.0.0.0:8201\n`,
    section: 'vault-listener',
    says: /listen: 0\.0\.0\.0 is not a loopback address/,
  },
  {
    text: `${keyring}[vault-listener]\ntls-key = k\n`,
    section: 'vault-listener',
    says: /tls-certificate: is missing/,
  },
  {
    text: `${keyring}accept-options-from = anybody\n`,
    section: 'keyring mariadb',
    says: /accept-options-from: .*plugin/,
  },
  {
    text: `${keyring}accept-options-from = plugin\n`,
    section: 'keyring mariadb',
    says: /accept-options-from: there is no \[plugin-listener\]/,
  },
  {
    text: `${keyring}endpoint-url = https://name:secret@kms.example/\n`,
    section: 'keyring mariadb',
    says: /endpoint-url: must not have a user name or password/,
  },
  {
    text: `${keyring}encryption-context = some\n`,
    section: 'keyring mariadb',
    says: /encryption-context: .*bound/,
  },
  {
    text: `${keyring}keyring-id = 00112233445566778899AABBCCDDEEFF\n`,
    section: 'keyring mariadb',
    says: /keyring-id: must be 32 hex digits, in lower case/,
  },
  {
    text: `${keyring}master-key-id = a b\n`,
    section: 'keyring mariadb',
    says: /master-key-id: must be an id/,
  },
  { text: `${keyring}region = us west\n`, section: 'keyring mariadb', says: /region: must be the name/ },
  {
    text: `${keyring}[plugin-listener]\ndirectory =\n`,
    section: 'plugin-listener',
    says: /directory: is empty/,
  },
  { text: `${keyring}[agent]\nlog-level = loud\n`, section: 'agent', says: /log-level: / },
]

for (const { text, section, says } of faults) {
  test(`a configuration error names file, section and option: ${says.source}`, (t) => {
    const file = join(scratchDirectory(t), 'agent.conf')
    writeFileSync(file, text)
    assert.throws(
      () => readAgentConfig(file),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, 'SR_CONFIG_INVALID')
        assert.ok(error.message.startsWith(`${file}: [${section}] `), error.message)
        assert.match(error.message, says)
        return true
      },
    )
  })
}

test('an option outside any section, and a file that is not there, are named', (t) => {
  const file = join(scratchDirectory(t), 'agent.conf')
  assert.throws(() => readAgentConfig(file), {
    code: 'SR_CONFIG_INVALID',
    message: `cannot read the configuration ${file} (ENOENT)`,
  })
  writeFileSync(file, `store = x\n${keyring}`)
  assert.throws(() => readAgentConfig(file), {
    code: 'SR_CONFIG_INVALID',
    message: /option store: stands outside/,
  })
})
