import assert from 'node:assert/strict'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../../../test/support/scratch.ts'
import { isSeen } from '../looked.ts'
import { accessKeyIdsIn, credentialPlaces, lookAtFiles } from './files.ts'

const skip = process.getuid?.() === 0 ? false : 'only root may ask for others'

const credentials =
  '[default]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY\n'

test(
  'credentials in the data directory are found wherever they lie in it, and data is not taken for them',
  { skip },
  (t) => {
    const dataDirectory = scratchDirectory(t)
    mkdirSync(join(dataDirectory, '.aws'))
    writeFileSync(join(dataDirectory, '.aws/credentials'), credentials)
    writeFileSync(
      join(dataDirectory, 'aws.env'),
      'AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY\n',
    )
    writeFileSync(join(dataDirectory, 'ibdata1'), credentials.padEnd(1_000_000, '\0'))
    writeFileSync(join(dataDirectory, 'my.pid'), '4711\n')
    const places = credentialPlaces({
      keyring: undefined,
      dataDirectory,
      serverUser: undefined,
      environment: [],
    })
    const files = lookAtFiles(
      {
        configFile: join(dataDirectory, 'none.conf'),
        config: undefined,
        keyring: undefined,
        optionFiles: [],
        dataDirectory,
        credentials: places.filter((path) => path.startsWith(dataDirectory)),
      },
      undefined,
    )
    assert.ok(isSeen(files))
    const found = files.seen.filter(({ role }) => role === 'credentials').map(({ path }) => path)
    assert.deepEqual(found.sort(), [join(dataDirectory, '.aws/credentials'), join(dataDirectory, 'aws.env')])
  },
)

test('access keys are known by their ids', (t) => {
  const file = join(scratchDirectory(t), 'credentials')
  writeFileSync(file, credentials)
  assert.deepEqual(accessKeyIdsIn(file), ['AKIAIOSFODNN7EXAMPLE'])
  assert.deepEqual(accessKeyIdsIn('/nowhere'), [])
})
