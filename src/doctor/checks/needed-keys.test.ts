import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ariaTableWith, dataWith, tableWith } from '../../../test/support/data-survey.ts'
import { examinedWith } from '../../../test/support/doctor.ts'
import { StrongroomError } from '../../errors.ts'
import type { DataSurvey } from '../look/data/data-survey.ts'
import { seen } from '../looked.ts'
import { neededKeys } from './needed-keys.ts'

const ciphertext = Buffer.from('wrapped')

function found(parts: Partial<DataSurvey>, keys: readonly [keyId: number, version: number][]): string[] {
  const wrappedKeys = keys.map(([keyId, version]) => ({ keyId, version, ciphertext }))
  const store = seen({ manifest: undefined, wrappedKeys, unreadable: [] })
  const outcome = neededKeys.run(examinedWith({ data: dataWith(parts), store }))
  return outcome.map((result) => ('code' in result ? `${result.where}: ${result.what}` : result.notChecked))
}

test('what asks for a key whose file is not there is named, the redo log first', () => {
  const data = {
    tablespaces: [
      tableWith({
        name: 'orders',
        encrypted: new Map([
          [1, 3],
          [2, 1200],
        ]),
      }),
    ],
    logs: [{ path: '/var/lib/mysql/binlog.000001', start: { encrypted: true, keyVersion: 1 } as const }],
  }
  assert.deepEqual(
    found(data, [
      [1, 1],
      [1, 2],
    ]),
    [],
  )
  assert.deepEqual(found(data, [[1, 2]]), [
    'aws-kms-key.1.1: is missing, and needed for the redo log, 3 pages of d/orders.ibd, binlog.000001',
  ])
  assert.deepEqual(found(data, [[1, 1]]), [
    'aws-kms-key.1.2: is missing, and needed for 1,200 pages of d/orders.ibd',
  ])
})

test('a key file that is there and can not be read is not missing', () => {
  const error = new StrongroomError('SR_STORE_UNREADABLE', 'no')
  const store = seen({ manifest: undefined, wrappedKeys: [], unreadable: [{ keyId: 1, version: 1, error }] })
  assert.deepEqual(neededKeys.run(examinedWith({ data: dataWith({}), store })), [])
})

test('of a sample, the least version that the first page names counts too', () => {
  const part = { encrypted: new Map([[3, 5]]), pagesRead: 5 }
  assert.deepEqual(found({ tablespaces: [tableWith(part)] }, [[1, 3]]), [
    'aws-kms-key.1.1: is missing, and needed for the redo log, d/t.ibd, by what its first page says',
  ])
  const whole = found({ tablespaces: [tableWith({ ...part, pagesRead: 10 })] }, [[1, 3]])
  assert.deepEqual(whole, ['aws-kms-key.1.1: is missing, and needed for the redo log'])
})

test('a damaged page of Aria does not ask for a key that never was', () => {
  const ariaTables = [
    ariaTableWith({
      keyVersions: new Map([
        [2, 1],
        [3735928559, 1],
      ]),
    }),
  ]
  assert.deepEqual(
    found({ ariaTables }, [
      [1, 1],
      [1, 3],
    ]),
    [
      'aws-kms-key.1.2: is missing, and needed for 1 page of d/a (Aria)',
      'versions that were never issued are asked for by what may be damage: 1.3735928559 (key id and version), by 1 page of d/a (Aria)',
    ],
  )
})

test('pages whose tablespace does not say which key ask for none', () => {
  const tablespaces = [tableWith({ cryptData: undefined, encrypted: new Map([[9, 1]]) })]
  assert.deepEqual(found({ tablespaces }, [[1, 1]]), [])
})
