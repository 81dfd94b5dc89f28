import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codesFound, examinedWith } from '../../../test/support/doctor.ts'
import { examinationWith, keyWith } from '../../../test/support/doctor-facts.ts'
import { keyFiles } from './keys.ts'

const hostWith = (...keys: ReturnType<typeof keyWith>[]) =>
  examinedWith({ examination: examinationWith({ keys }) })

test('each kind of bad file has its code', () => {
  const problem = (code: string) => ({ problem: { code, message: 'is bad' } })
  assert.deepEqual(codesFound(keyFiles, hostWith(keyWith())), [])
  const bad = hostWith(
    keyWith({ version: 1, ...problem('SR_KEY_FILE_MISSING') }),
    keyWith({ version: 2, ...problem('SR_KEY_FILE_ALTERED') }),
    keyWith({ version: 3, ...problem('SR_UNWRAP_REFUSED') }),
    keyWith({ version: 4, ...problem('SR_UNWRAP_REFUSED'), isStray: true }),
  )
  assert.deepEqual(codesFound(keyFiles, bad), [
    'SRD_KEY_MISSING',
    'SRD_KEY_DAMAGED',
    'SRD_KEY_DAMAGED',
    'SRD_KEY_STRAY',
  ])
})

test('files that could not be tried are said once, and are no findings', () => {
  const problem = { code: 'SR_MASTER_KEY_DISABLED', message: 'master key is disabled' }
  assert.deepEqual(keyFiles.run(hostWith(keyWith({ problem }), keyWith({ version: 2, problem }))), [
    {
      notChecked:
        '/var/lib/mysql/aws-kms-key.1.1: master key is disabled, and 1 more key files could not be tried either',
    },
  ])
})

test('a store that can not be read', () => {
  const problem = { code: 'SR_MANIFEST_INVALID', message: 'cannot read the manifest' }
  const host = examinedWith({ examination: examinationWith({ problem, keys: [] }) })
  assert.deepEqual(codesFound(keyFiles, host), ['SRD_STORE'])
})
