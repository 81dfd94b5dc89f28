import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { test, type TestContext } from 'node:test'
import { stepAt, totpCode } from '../mfa/totp.ts'
import { RootKey } from '../seal/root-key.ts'
import { createDatabase, openDatabase } from './database.ts'
import { type MfaDevice, MfaDevices } from './mfa-devices.ts'

const start = new Date('2026-01-01T00:00:00Z')
const after = (seconds: number): Date => new Date(start.getTime() + seconds * 1000)
const accepted = { accepted: true }
const refused = { accepted: false, pausedUntil: undefined }

interface Fixture {
  readonly devices: MfaDevices
  readonly device: MfaDevice
  readonly code: (seconds: number) => string
  readonly database: DatabaseSync
  /** The same database, opened again. */
  readonly reopened: () => MfaDevices
}

/** A device, enabled for AIDAEXAMPLE at `start`, whose codes of the seconds -30 and 0 are used up by that. */
function fixture(t: TestContext): Fixture {
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-mfa-'))
  const path = join(directory, 'kms.db')
  const rootKey = new RootKey(randomBytes(32))
  let database = createDatabase(path, () => undefined)
  t.after(() => {
    database.close()
    rmSync(directory, { recursive: true })
  })
  const open = (): MfaDevices => new MfaDevices(database, rootKey, '111122223333')
  const devices = open()
  const { device, seed } = created(devices, 'phone')
  const code = (seconds: number): string => totpCode(seed, stepAt(after(seconds)))
  assert.equal(devices.enable(device, 'AIDAEXAMPLE', { first: code(-30), second: code(0) }, start), true)
  return {
    devices,
    device,
    code,
    get database() {
      return database
    },
    reopened() {
      database.close()
      database = openDatabase(path)
      return open()
    },
  }
}

function created(devices: MfaDevices, deviceName: string): { device: MfaDevice; seed: Buffer } {
  const made = devices.create({ deviceName, path: '/' }, new Map(), start)
  assert.ok(made !== undefined)
  return made
}

test('a seed has 320 bits, is another for each device, and is stored sealed', (t) => {
  const { devices, database } = fixture(t)
  const one = created(devices, 'one')
  const two = created(devices, 'two')
  assert.equal(one.seed.length, 40)
  assert.notDeepEqual(one.seed, two.seed)
  const rows = database.prepare('SELECT sealed_seed FROM mfa_devices').all()
  assert.equal(rows.length, 3)
  for (const row of rows) {
    assert.ok(row['sealed_seed'] instanceof Uint8Array)
    assert.ok(!Buffer.from(row['sealed_seed']).includes(one.seed))
  }
})

test('a code is accepted once', (t) => {
  const { devices, device, code } = fixture(t)
  assert.deepEqual(devices.accept(device, code(30), after(30)), accepted)
  assert.deepEqual(devices.accept(device, code(30), after(31)), refused)
  assert.deepEqual(devices.accept(device, code(60), after(60)), accepted)
})

test('the codes that enabled the device are used up', (t) => {
  const { devices, device, code } = fixture(t)
  assert.deepEqual(devices.accept(device, code(-30), start), refused)
  assert.deepEqual(devices.accept(device, code(0), start), refused)
})

test('a code of an earlier step than the last accepted one is refused, used or not', (t) => {
  const { devices, device, code } = fixture(t)
  assert.deepEqual(devices.accept(device, code(90), after(60)), accepted)
  assert.deepEqual(devices.accept(device, code(60), after(60)), refused)
  assert.deepEqual(devices.accept(device, code(30), after(60)), refused)
})

test('a used code stays used when the service starts again', (t) => {
  const { devices, device, code, reopened } = fixture(t)
  assert.deepEqual(devices.accept(device, code(60), after(60)), accepted)
  const again = reopened()
  assert.deepEqual(again.accept(device, code(60), after(60)), refused)
  assert.deepEqual(again.accept(device, code(30), after(60)), refused)
  assert.deepEqual(again.accept(device, code(90), after(90)), accepted)
})

test('a code is good one step before and after its own, and no longer', (t) => {
  const outcomes = (seconds: number): boolean => {
    const { devices, device, code } = fixture(t)
    return devices.accept(device, code(300), after(seconds)).accepted
  }
  assert.deepEqual([269, 270, 300, 329, 330, 359, 360, 390].map(outcomes), [
    false,
    true,
    true,
    true,
    true,
    true,
    false,
    false,
  ])
})

test('after five wrong codes none is looked at for a minute, not even the right one', (t) => {
  const { devices, device, code } = fixture(t)
  for (let i = 0; i < 5; i++) assert.deepEqual(devices.accept(device, '000000', after(60)), refused)
  const paused = { accepted: false, pausedUntil: after(120) }
  assert.deepEqual(devices.accept(device, code(60), after(60)), paused)
  assert.deepEqual(devices.accept(device, code(90), after(119)), paused)
  assert.deepEqual(devices.accept(device, code(120), after(120)), accepted)
})

test('replayed codes count as wrong ones', (t) => {
  const { devices, device, code } = fixture(t)
  assert.deepEqual(devices.accept(device, code(60), after(60)), accepted)
  for (let i = 0; i < 5; i++) assert.deepEqual(devices.accept(device, code(60), after(60)), refused)
  assert.notEqual(devices.accept(device, code(90), after(90)), refused)
})

test('a device is enabled by two codes in a row, about now, and by nothing else', (t) => {
  const { devices } = fixture(t)
  const { device, seed } = created(devices, 'new')
  const code = (seconds: number): string => totpCode(seed, stepAt(after(seconds)))
  const enable = (first: number, second: number, at: number): boolean =>
    devices.enable(device, 'AIDAEXAMPLE', { first: code(first), second: code(second) }, after(at))
  assert.equal(enable(30, 0, 0), false)
  assert.equal(enable(0, 0, 0), false)
  assert.equal(enable(-30, 30, 0), false)
  assert.equal(enable(-90, -60, 0), false)
  assert.equal(enable(60, 90, 0), false)
  assert.equal(devices.withSerialNumber(device.serialNumber)?.owner, undefined)
  assert.equal(enable(-60, -30, 0), true)
  assert.equal(devices.withSerialNumber(device.serialNumber)?.owner, 'AIDAEXAMPLE')
  assert.deepEqual(devices.withSerialNumber(device.serialNumber)?.enabledAt, start)
})

test('resynchronising follows a clock that is off, up to ten minutes', (t) => {
  const { devices, device, code } = fixture(t)
  const resync = (first: number, second: number, at: number): boolean =>
    devices.resync(device, { first: code(first), second: code(second) }, after(at))
  // The device shows the code of 1000 + 300 when it is 1000.
  assert.deepEqual(devices.accept(device, code(1300), after(1000)), refused)
  assert.equal(resync(1000 + 630, 1000 + 660, 1000), false)
  assert.equal(resync(1270, 1300, 1000), true)
  assert.deepEqual(devices.accept(device, code(1300), after(1000)), refused)
  assert.deepEqual(devices.accept(device, code(1330), after(1030)), accepted)
  assert.deepEqual(devices.accept(device, code(1300 + 90), after(1000 + 30)), refused)
})

test('resynchronising does not take codes that were used, nor earlier ones', (t) => {
  const { devices, device, code } = fixture(t)
  assert.deepEqual(devices.accept(device, code(300), after(300)), accepted)
  const resync = (first: number, second: number): boolean =>
    devices.resync(device, { first: code(first), second: code(second) }, after(300))
  assert.equal(resync(240, 270), false)
  assert.equal(resync(270, 300), false)
  assert.equal(resync(300, 330), false)
  assert.equal(resync(330, 360), true)
})

test('slow fingers are no clock that is off', (t) => {
  const { devices, device, code } = fixture(t)
  assert.equal(devices.resync(device, { first: code(270), second: code(300) }, after(330)), true)
  assert.deepEqual(devices.accept(device, code(390), after(360)), accepted)
})

test('a deactivated device is nobody’s, and its used codes stay used', (t) => {
  const { devices, device, code } = fixture(t)
  assert.deepEqual(devices.accept(device, code(60), after(60)), accepted)
  devices.deactivate(device)
  assert.equal(devices.withSerialNumber(device.serialNumber)?.owner, undefined)
  assert.deepEqual(devices.ofOwner('AIDAEXAMPLE'), [])
  const enable = (first: number, second: number): boolean =>
    devices.enable(device, 'AIDAANOTHER', { first: code(first), second: code(second) }, after(60))
  assert.equal(enable(30, 60), false)
  assert.equal(enable(60, 90), false)
  assert.equal(enable(90, 120), true)
})

test('a seed that was moved to another device or owner is not opened', (t) => {
  const { devices, device, code, database } = fixture(t)
  created(devices, 'other')
  const damaged = { code: 'SR_KMS_DATABASE_DAMAGED' }
  database.exec("UPDATE mfa_devices SET owner = 'AIDAANOTHER' WHERE device_name = 'phone'")
  assert.throws(() => devices.accept(device, code(60), after(60)), damaged)
  database.exec("UPDATE mfa_devices SET owner = 'AIDAEXAMPLE' WHERE device_name = 'phone'")
  assert.deepEqual(devices.accept(device, code(60), after(60)), accepted)
  database.exec(
    "UPDATE mfa_devices SET sealed_seed = (SELECT sealed_seed FROM mfa_devices WHERE device_name = 'other') " +
      "WHERE device_name = 'phone'",
  )
  assert.throws(() => devices.accept(device, code(90), after(90)), damaged)
})

test('names differ in more than case, and a serial number is exact', (t) => {
  const { devices, device } = fixture(t)
  assert.equal(devices.create({ deviceName: 'PHONE', path: '/' }, new Map(), start), undefined)
  assert.equal(device.serialNumber, 'arn:aws:iam::111122223333:mfa/phone')
  assert.equal(devices.withSerialNumber('arn:aws:iam::111122223333:mfa/phone')?.deviceName, 'phone')
  assert.equal(devices.withSerialNumber('arn:aws:iam::111122223333:mfa/PHONE'), undefined)
  assert.equal(devices.withSerialNumber('arn:aws:iam::111122223333:mfa/a/phone'), undefined)
  assert.equal(devices.withSerialNumber('phone'), undefined)
})

test('a deleted device is gone', (t) => {
  const { devices, device } = fixture(t)
  devices.delete(device)
  assert.equal(devices.withSerialNumber(device.serialNumber), undefined)
  assert.deepEqual(devices.all(), [])
})
