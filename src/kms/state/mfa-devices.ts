import { randomBytes } from 'node:crypto'
import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { mfaDeviceArn } from '../arn.ts'
import { matchingPair, matchingStep } from '../mfa/code-match.ts'
import { FailedTries } from '../mfa/failed-tries.ts'
import { stepAt } from '../mfa/totp.ts'
import type { RootKey } from '../seal/root-key.ts'
import { altered } from './altered.ts'
import { readTexts, writeTexts } from './texts-column.ts'

/** A virtual MFA device, without its seed. */
export interface MfaDevice {
  readonly deviceName: string
  readonly path: string
  /** Its ARN. */
  readonly serialNumber: string
  /** Whose it is: a user's id, or `root`; undefined while it is not enabled for anybody. */
  readonly owner: string | undefined
  readonly tags: ReadonlyMap<string, string>
  readonly enabledAt: Date | undefined
}

/** What became of a code that was shown. */
export type CodeCheck =
  | { readonly accepted: true }
  | {
      readonly accepted: false
      /** Set when it was not looked at, because of too many wrong ones before it. */
      readonly pausedUntil: Date | undefined
    }

/** The owner of the root user's devices. */
export const rootOwner = 'root'

/** As long as Amazon's, which show as 64 characters. */
const seedBytes = 40
/** A code is good in its own step and in the ones beside it. */
const toleranceSteps = 1
/** Two codes in a row take a while to read. */
const enableSteps = 2
/** How far a clock may be off to be synchronised with: 10 minutes. */
const resyncSteps = 20

const deviceRow = z.object({
  device_name: z.string(),
  path: z.string(),
  owner: z.string().nullable(),
  sealed_seed: z.instanceof(Uint8Array),
  last_step: z.number().nullable(),
  drift_steps: z.number(),
  tags: z.string(),
  enabled_at: z.number().nullable(),
})

type DeviceRow = z.infer<typeof deviceRow>

/**
 * The virtual MFA devices of the account. A code is used up, durably, when `accept` returns: neither it nor one of an
 * earlier step is accepted again, whatever happens to the process.
 */
export class MfaDevices {
  readonly #database: DatabaseSync
  readonly #rootKey: RootKey
  readonly #accountId: string
  readonly #failedTries = new FailedTries()

  constructor(database: DatabaseSync, rootKey: RootKey, accountId: string) {
    this.#database = database
    this.#rootKey = rootKey
    this.#accountId = accountId
  }

  /**
   * Undefined when there is a device of that name; names differ in more than case. The seed is given out here, once,
   * and the caller zeroes it.
   */
  create(
    name: { deviceName: string; path: string },
    tags: ReadonlyMap<string, string>,
    now: Date,
  ): { device: MfaDevice; seed: Buffer } | undefined {
    const seed = randomBytes(seedBytes)
    const { changes } = this.#database
      .prepare(
        'INSERT INTO mfa_devices (device_name, path, sealed_seed, tags, created_at) VALUES (?, ?, ?, ?, ?) ' +
          'ON CONFLICT DO NOTHING',
      )
      .run(
        name.deviceName,
        name.path,
        this.#rootKey.seal(seed, belongsTo(name.deviceName, null)),
        writeTexts(tags),
        now.getTime(),
      )
    if (changes > 0) return { device: this.#device(this.#row(name.deviceName)), seed }
    seed.fill(0)
    return undefined
  }

  withSerialNumber(serialNumber: string): MfaDevice | undefined {
    const deviceName = serialNumber.slice(serialNumber.lastIndexOf('/') + 1)
    const found = this.#database.prepare('SELECT * FROM mfa_devices WHERE device_name = ?').get(deviceName)
    if (found === undefined) return undefined
    const device = this.#device(deviceRow.parse(found))
    return device.serialNumber === serialNumber ? device : undefined
  }

  get count(): number {
    const row = this.#database.prepare('SELECT count(*) AS count FROM mfa_devices').get()
    return z.object({ count: z.number() }).parse(row).count
  }

  /** By name. */
  all(): MfaDevice[] {
    const rows = this.#database.prepare('SELECT * FROM mfa_devices ORDER BY device_name').all()
    return rows.map((row) => this.#device(deviceRow.parse(row)))
  }

  /** A user's, by the user's id, or those of the root user, by `rootOwner`; by name. */
  ofOwner(owner: string): MfaDevice[] {
    const rows = this.#database
      .prepare('SELECT * FROM mfa_devices WHERE owner = ? ORDER BY device_name')
      .all(owner)
    return rows.map((row) => this.#device(deviceRow.parse(row)))
  }

  /** Makes it the owner's when the two codes are those of two steps in a row, about now; false when they are not. */
  enable(
    { deviceName }: MfaDevice,
    owner: string,
    codes: { first: string; second: string },
    now: Date,
  ): boolean {
    const row = this.#row(deviceName)
    return this.#withSeed(row, (seed) => {
      const step = matchingPair(seed, codes, unused(row, stepAt(now), enableSteps))
      if (step === undefined) return false
      this.#database
        .prepare(
          'UPDATE mfa_devices SET owner = ?, sealed_seed = ?, last_step = ?, drift_steps = 0, enabled_at = ? ' +
            'WHERE device_name = ?',
        )
        .run(
          owner,
          this.#rootKey.seal(seed, belongsTo(row.device_name, owner)),
          step,
          now.getTime(),
          row.device_name,
        )
      this.#failedTries.forget(row.device_name)
      return true
    })
  }

  /** Learns by how much the device's clock is off, from two codes in a row; false when they are not the device's. */
  resync({ deviceName }: MfaDevice, codes: { first: string; second: string }, now: Date): boolean {
    const row = this.#row(deviceName)
    return this.#withSeed(row, (seed) => {
      const step = matchingPair(seed, codes, unused(row, stepAt(now), resyncSteps))
      if (step === undefined) return false
      const drift = step - stepAt(now)
      this.#database
        .prepare('UPDATE mfa_devices SET last_step = ?, drift_steps = ? WHERE device_name = ?')
        // Less than the tolerance may as well be the time that the user took.
        .run(step, Math.abs(drift) <= toleranceSteps ? 0 : drift, row.device_name)
      this.#failedTries.forget(row.device_name)
      return true
    })
  }

  /** Whether this is a code of the device that was not used yet; then it is used up. */
  accept({ deviceName }: MfaDevice, code: string, now: Date): CodeCheck {
    const row = this.#row(deviceName)
    const pausedUntil = this.#failedTries.pausedUntil(row.device_name, now)
    if (pausedUntil !== undefined) return { accepted: false, pausedUntil }
    const steps = unused(row, stepAt(now) + row.drift_steps, toleranceSteps)
    const step = this.#withSeed(row, (seed) => matchingStep(seed, code, steps))
    if (step === undefined) {
      this.#failedTries.failed(row.device_name, now)
      return { accepted: false, pausedUntil: undefined }
    }
    this.#database
      .prepare('UPDATE mfa_devices SET last_step = ? WHERE device_name = ?')
      .run(step, row.device_name)
    this.#failedTries.forget(row.device_name)
    return { accepted: true }
  }

  /** It keeps its seed, and its used codes stay used. */
  deactivate({ deviceName }: MfaDevice): void {
    const row = this.#row(deviceName)
    this.#withSeed(row, (seed) => {
      this.#database
        .prepare(
          'UPDATE mfa_devices SET owner = NULL, sealed_seed = ?, enabled_at = NULL WHERE device_name = ?',
        )
        .run(this.#rootKey.seal(seed, belongsTo(row.device_name, null)), row.device_name)
    })
  }

  delete({ deviceName }: MfaDevice): void {
    this.#database.prepare('DELETE FROM mfa_devices WHERE device_name = ?').run(deviceName)
    this.#failedTries.forget(deviceName)
  }

  setTags({ deviceName }: MfaDevice, tags: ReadonlyMap<string, string>): void {
    this.#database
      .prepare('UPDATE mfa_devices SET tags = ? WHERE device_name = ?')
      .run(writeTexts(tags), deviceName)
  }

  #row(deviceName: string): DeviceRow {
    return deviceRow.parse(
      this.#database.prepare('SELECT * FROM mfa_devices WHERE device_name = ?').get(deviceName),
    )
  }

  #device(row: DeviceRow): MfaDevice {
    return {
      deviceName: row.device_name,
      path: row.path,
      serialNumber: mfaDeviceArn(this.#accountId, row.path, row.device_name),
      owner: row.owner ?? undefined,
      tags: readTexts(row.tags),
      enabledAt: row.enabled_at === null ? undefined : new Date(row.enabled_at),
    }
  }

  #withSeed<T>(row: DeviceRow, use: (seed: Buffer) => T): T {
    const owner = belongsTo(row.device_name, row.owner)
    const seed = this.#rootKey.unseal(row.sealed_seed, owner)
    if (seed === undefined) throw altered(owner)
    try {
      return use(seed)
    } finally {
      seed.fill(0)
    }
  }
}

/** The steps about `centre` of which no code was used yet. */
function unused(row: DeviceRow, centre: number, tolerance: number): { first: number; last: number } {
  const first = centre - tolerance
  return { first: Math.max(first, (row.last_step ?? first - 1) + 1), last: centre + tolerance }
}

/** The owner is in it: whose device it is decides whom a code of it authenticates. */
export function belongsTo(deviceName: string, owner: string | null): string {
  return `MFA device ${deviceName} of ${owner ?? 'nobody'}`
}
