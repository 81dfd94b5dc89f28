import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { DescribedMasterKey, MasterKeyExamination } from '../../keyring/examination.ts'
import { codesFound, examinedWith } from '../../../test/support/doctor.ts'
import {
  configWith,
  exampleArn,
  examinationWith,
  keyWith,
  masterKeyWith,
  otherArn,
  pluginConfig,
  vaultConfig,
} from '../../../test/support/doctor-facts.ts'
import { clockSkew } from './clock.ts'
import { masterKeyIdentity, masterKeyState } from './master-key.ts'
import { needlessRights, neededRights } from './rights.ts'

const described = (parts: Partial<DescribedMasterKey>) =>
  hostWith({ described: [{ name: exampleArn, arn: exampleArn, state: 'Enabled', ...parts }] })
const hostWith = (masterKey: Partial<MasterKeyExamination>) =>
  examinedWith({ examination: examinationWith({ masterKey: masterKeyWith(masterKey) }) })
const problem = (code: string) => ({ state: undefined, problem: { code, message: 'no' } })

test('each state of a master key', () => {
  const codes = (parts: Partial<DescribedMasterKey>) => codesFound(masterKeyState, described(parts))
  assert.deepEqual(codes({}), [])
  assert.deepEqual(codes({ state: 'Disabled' }), ['SRD_MASTER_KEY_DISABLED'])
  assert.deepEqual(codes({ state: 'PendingDeletion' }), ['SRD_MASTER_KEY_PENDING_DELETION'])
  assert.deepEqual(codes({ state: 'PendingImport' }), ['SRD_MASTER_KEY_UNUSABLE'])
  assert.deepEqual(codes({ state: 'Unavailable' }), ['SRD_MASTER_KEY_UNUSABLE'])
  assert.deepEqual(codes({ validTo: '2026-12-20T00:00:00Z' }), ['SRD_MASTER_KEY_EXPIRES'])
  assert.deepEqual(codes({ validTo: '2027-12-20T00:00:00Z' }), [])
})

test('the date of a deletion is told', () => {
  const [finding] = masterKeyState.run(
    described({ state: 'PendingDeletion', deletionDate: '2026-12-02T09:00:00.000Z' }),
  )
  assert.match(JSON.stringify(finding), /2026-12-02T09:00:00.000Z/)
})

test('a KMS that does not answer, or does not take the credentials, or knows no such key', () => {
  const codes = (code: string) => codesFound(masterKeyState, described(problem(code)))
  assert.deepEqual(codes('SR_KMS_UNREACHABLE'), ['SRD_KMS_UNREACHABLE'])
  assert.deepEqual(codes('SR_KMS_FAILED'), ['SRD_KMS_UNREACHABLE'])
  assert.deepEqual(codes('SR_KMS_CREDENTIALS'), ['SRD_KMS_CREDENTIALS'])
  assert.deepEqual(codes('SR_MASTER_KEY_NOT_FOUND'), ['SRD_MASTER_KEY_NOT_FOUND'])
})

test('an alias that points elsewhere than the newest stored key', () => {
  const name = 'alias/mariadb'
  const masterKey = masterKeyWith({ name, described: [{ name, arn: otherArn, state: 'Enabled' }] })
  const moved = examinedWith({ examination: examinationWith({ masterKey }) })
  assert.deepEqual(codesFound(masterKeyIdentity, moved), ['SRD_ALIAS_MOVED'])
  const rotated = examinedWith({
    examination: examinationWith({
      masterKey,
      keys: [keyWith(), keyWith({ version: 2, masterKey: otherArn })],
    }),
  })
  assert.deepEqual(codesFound(masterKeyIdentity, rotated), ['SRD_MASTER_KEY_OTHER'])
})

test('stored keys under another master key than the configured one', () => {
  const host = examinedWith({ examination: examinationWith({ keys: [keyWith({ masterKey: otherArn })] }) })
  assert.deepEqual(codesFound(masterKeyIdentity, host), ['SRD_MASTER_KEY_OTHER'])
  assert.deepEqual(codesFound(masterKeyIdentity, hostWith({})), [])
})

test('a region that is not the master key’s', () => {
  assert.deepEqual(codesFound(masterKeyIdentity, hostWith({ region: 'eu-west-1' })), [
    'SRD_MASTER_KEY_REGION',
  ])
})

test('no master key, unless MariaDB is to name it', (t) => {
  const masterKey = masterKeyWith({ name: undefined })
  const examination = examinationWith({ masterKey })
  const host = examinedWith({ ...configWith(t, vaultConfig), examination })
  assert.deepEqual(codesFound(masterKeyIdentity, host), ['SRD_MASTER_KEY_UNSET'])
  const waiting = examinedWith({
    ...configWith(t, `${pluginConfig}accept-options-from = plugin\n`),
    examination,
  })
  assert.match(JSON.stringify(masterKeyIdentity.run(waiting)), /^\[\{"notChecked"/)
})

test('missing rights, by their names', () => {
  const message = 'the KMS denies it'
  const denied = { code: 'SR_KMS_ACCESS_DENIED', message }
  assert.deepEqual(codesFound(neededRights, hostWith({})), [])
  const host = hostWith({
    needed: { ...masterKeyWith().needed, 'kms:GenerateDataKeyWithoutPlaintext': denied },
  })
  assert.deepEqual(codesFound(neededRights, host), ['SRD_RIGHTS_MISSING'])
  const onlyFile = examinedWith({ examination: examinationWith({ keys: [keyWith({ problem: denied })] }) })
  assert.deepEqual(codesFound(neededRights, onlyFile), ['SRD_RIGHTS_MISSING'])
})

test('rights that could not be tried are not checked', () => {
  const host = hostWith({ needed: { 'kms:DescribeKey': null } })
  assert.deepEqual(neededRights.run(host), [
    { notChecked: 'kms:Decrypt, kms:GenerateDataKeyWithoutPlaintext could not be tried' },
  ])
  assert.deepEqual(needlessRights.run(hostWith({ needed: {} })), [
    { notChecked: 'the KMS could not be asked' },
  ])
})

test('rights that are never needed', () => {
  assert.deepEqual(codesFound(needlessRights, hostWith({ needless: ['kms:Encrypt'] })), [
    'SRD_RIGHTS_NEEDLESS',
  ])
  assert.deepEqual(codesFound(needlessRights, hostWith({})), [])
})

test('clocks: a minute is tolerated, either way', () => {
  for (const ahead of [0, 60_000, -60_000])
    assert.deepEqual(codesFound(clockSkew, hostWith({ clockAhead: ahead })), [])
  for (const ahead of [60_001, -60_001])
    assert.deepEqual(codesFound(clockSkew, hostWith({ clockAhead: ahead })), ['SRD_CLOCK_SKEW'])
})
