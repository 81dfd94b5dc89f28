import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { kmsOptionNames, readKmsConfig } from './config.ts'

const folder = mkdtempSync(join(tmpdir(), 'strongroom-kms-config-'))
after(() => {
  rmSync(folder, { recursive: true })
})

function fileWith(text: string): string {
  const file = join(folder, 'kms.conf')
  writeFileSync(file, text)
  return file
}

describe('the configuration of strongroom kms', () => {
  test('takes every option from a file, and paths from the folder of the file', () => {
    const file = fileWith(`[kms]
      data-directory = data
      listen = 0.0.0.0:8202
      metrics-listen = 127.0.0.1:9202
      region = eu-central-1
      regions = eu-central-1, us-east-1
      account-id = 111122223333
      tls-certificate = cert.pem
      tls-key = /etc/key.pem
      quotas = *=1000, CreateKey=5
      seal = kms
      seal-key-id = arn:aws:kms:eu-west-1:111122223333:key/k
      seal-endpoint = https://kms.example.com
      passphrase-file = passphrase
      log-level = debug`)
    assert.deepEqual(readKmsConfig(['--config', file]), {
      logLevel: 'debug',
      service: {
        dataDirectory: join(folder, 'data'),
        listen: '0.0.0.0:8202',
        metricsListen: '127.0.0.1:9202',
        region: 'eu-central-1',
        regions: ['eu-central-1', 'us-east-1'],
        accountId: '111122223333',
        tls: { certificateFile: join(folder, 'cert.pem'), keyFile: '/etc/key.pem' },
        allowPlainHttp: false,
        seal: {
          kind: 'kms',
          keyId: 'arn:aws:kms:eu-west-1:111122223333:key/k',
          region: 'eu-west-1',
          endpoint: 'https://kms.example.com',
        },
        passphraseFile: join(folder, 'passphrase'),
        quotas: { all: 1000, perOperation: new Map([['CreateKey', 5]]) },
      },
    })
  })

  test('has every option in docs/configuration.md, and that has no other', () => {
    const page = readFileSync(join(import.meta.dirname, '../../../../docs/configuration.md'), 'utf8')
    const rows = (page.split('\n## [kms]\n')[1] ?? '').match(/^\| `.*$/gm) ?? []
    const named = rows.flatMap((row) => row.split('|')[1]?.match(/[a-z-]+/g) ?? [])
    assert.ok(named.length > 20)
    assert.deepEqual([...named].sort(), [...kmsOptionNames].sort())
  })

  test('lets a flag win over the file', () => {
    const file = fileWith('[kms]\ndata-directory = a\nlisten = 127.0.0.1:1\nallow-plain-http = yes\n')
    const { service } = readKmsConfig(['--config', file, '--data', '/b', '--listen', '127.0.0.1:2'])
    assert.equal(service.dataDirectory, '/b')
    assert.equal(service.listen, '127.0.0.1:2')
    assert.equal(service.allowPlainHttp, true)
  })

  test('has a certificate authority of its own with the names that are given', () => {
    const { service } = readKmsConfig(['--data', 'd', '--tls-names', 'kms.example.com, 10.0.0.5'])
    assert.deepEqual(service.tls, { names: ['kms.example.com', '10.0.0.5'] })
    const own = readKmsConfig(['--data', 'd', '--tls', 'own-ca']).service.tls
    assert.ok(own !== undefined && 'names' in own && own.names.includes('localhost'))
    assert.equal(readKmsConfig(['--data', 'd']).service.tls, undefined)
  })

  for (const [flags, message] of [
    [[], '--data DIR is missing'],
    [['--data', ''], '--data DIR is missing'],
    [['--data', 'd', '--listen', 'example.com:1'], '--listen "example.com:1" is not an address to listen at'],
    [['--data', 'd', '--region', 'here'], '--region takes a name such as us-east-1'],
    [['--data', 'd', '--regions', 'us-east-1,here'], '--regions takes names such as us-east-1, eu-west-1'],
    [['--data', 'd', '--account-id', '1'], '--account-id takes 12 digits'],
    [['--data', 'd', '--quotas', 'x'], '--quotas "x" is not OPERATION=REQUESTS-PER-SECOND'],
    [['--data', 'd', '--tls', 'maybe'], '--tls is off, own-ca or files'],
    [['--data', 'd', '--seal', 'wax'], 'seal is one of file, passphrase, systemd, kms'],
    [['--data', 'd', '--seal', 'kms', '--seal-key-id', 'k'], 'seal = kms takes seal-key-id, and seal-region'],
    [['--data', 'd', '--seal-key-id', 'k'], 'seal-key-id, seal-region and seal-endpoint are for seal = kms'],
    [['--data', 'd', '--tls-key', 'k'], 'tls-certificate and tls-key go together'],
    [['--data', 'd', '--tls', 'files'], 'tls-certificate and tls-key are for tls = files'],
    [['--data', 'd', '--tls', 'off', '--tls-names', 'a'], 'tls-names is for tls = own-ca'],
    [['--data', 'd', '--nonsense', 'x'], "Unknown option '--nonsense'"],
  ] as const) {
    test(`refuses ${flags.join(' ')}`, () => {
      assert.throws(
        () => readKmsConfig(flags),
        (error: unknown) => {
          assert.ok(error instanceof Error && 'code' in error)
          assert.equal(error.code, 'SR_USAGE')
          assert.ok(error.message.startsWith(message), error.message)
          return true
        },
      )
    })
  }

  for (const [text, message] of [
    ['[kms]\nnonsense = 1\n', '[kms] nonsense: is no option of this section'],
    ['[other]\na = 1\n', '[other] is not a section of this file: it has [kms] alone'],
    ['[kms]\ntls = maybe\n', '[kms] tls: is off, own-ca or files'],
    ['[kms]\nlog-level = loud\n', '[kms] log-level: is one of trace, debug, info, warn, error, silent'],
  ] as const) {
    test(`refuses a file with ${text.trim().replace('\n', ' ')}`, () => {
      const file = fileWith(text)
      assert.throws(() => readKmsConfig(['--config', file, '--data', 'd']), {
        code: 'SR_CONFIG_INVALID',
        message: `${file}: ${message}`,
      })
    })
  }
})
