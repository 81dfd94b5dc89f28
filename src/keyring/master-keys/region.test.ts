import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { scratchDirectory } from '../../../test/support/scratch.ts'
import { regionFor, type RegionOptions } from './region.ts'

const nothing = { region: undefined, masterKeyId: undefined, credentialsFile: undefined, profile: undefined }

test('what is said wins, then the ARN of the master key', () => {
  const masterKeyId = 'arn:aws:kms:eu-central-1:111122223333:alias/mariadb'
  assert.equal(regionFor({ ...nothing, masterKeyId, region: 'us-west-2' }), 'us-west-2')
  assert.equal(regionFor({ ...nothing, masterKeyId }), 'eu-central-1')
})

test('else the environment, then the shared files by the profile', async (t) => {
  const folder = inEnvironment(t, { AWS_REGION: 'eu-west-1', AWS_DEFAULT_REGION: 'eu-west-2' })
  assert.equal(await lookUp(), 'eu-west-1')
  delete process.env['AWS_REGION']
  assert.equal(await lookUp(), 'eu-west-2')
  delete process.env['AWS_DEFAULT_REGION']
  writeFileSync(join(folder, 'credentials'), '[default]\nregion = us-east-1\n[other]\n')
  writeFileSync(
    join(folder, 'config'),
    '[default]\nregion = us-east-2\n[profile other]\nregion = us-west-1\n',
  )
  assert.equal(await lookUp(), 'us-east-1')
  process.env['AWS_PROFILE'] = 'other'
  assert.equal(await lookUp({ profile: 'default' }), 'us-east-1')
  assert.equal(await lookUp(), 'us-west-1')
})

test('a named file is the only one; what comes late is found', async (t) => {
  const folder = inEnvironment(t)
  writeFileSync(join(folder, 'config'), '[default]\nregion = us-east-2\n')
  const credentialsFile = join(folder, 'named')
  const region = regionFor({ ...nothing, credentialsFile, masterKeyId: 'alias/mariadb' })
  assert.ok(typeof region === 'function')
  await assert.rejects(region(), { code: 'SR_KMS_REGION_UNKNOWN' })
  writeFileSync(credentialsFile, '[default]\nregion =\n')
  await assert.rejects(region(), { code: 'SR_KMS_REGION_UNKNOWN' })
  writeFileSync(credentialsFile, '[default]\nregion = us-west-2\n')
  assert.equal(await region(), 'us-west-2')
})

test('a profile may have dots in its name', async (t) => {
  const folder = inEnvironment(t)
  const text = '[profile my.team.db]\nregion = eu-north-1\n[my.team]\nregion = eu-south-1\n[none.region]\n'
  writeFileSync(join(folder, 'config'), text)
  assert.equal(await lookUp({ profile: 'my.team.db' }), 'eu-north-1')
  assert.equal(await lookUp({ profile: 'my.team' }), 'eu-south-1')
  for (const profile of ['my', 'none.region', 'none.region.x', 'nothing.at.all']) {
    await assert.rejects(lookUp({ profile }), { code: 'SR_KMS_REGION_UNKNOWN' }, profile)
  }
})

async function lookUp(options: Partial<RegionOptions> = {}): Promise<string> {
  const region = regionFor({ ...nothing, ...options })
  return typeof region === 'string' ? region : await region()
}

/** Shared files in a folder of their own, which is returned, and these variables. */
function inEnvironment(t: TestContext, variables: Readonly<Record<string, string>> = {}): string {
  const folder = scratchDirectory(t)
  const before = { ...process.env }
  t.after(() => {
    process.env = before
  })
  process.env = {
    ...Object.fromEntries(Object.entries(before).filter(([name]) => !name.startsWith('AWS_'))),
    ...variables,
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'credentials'),
    AWS_CONFIG_FILE: join(folder, 'config'),
  }
  return folder
}
