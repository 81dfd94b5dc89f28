import { setTimeout } from 'node:timers/promises'
import type { AwsAccess } from '../aws/access.ts'
import { type KeyUse, usesOf } from './key-uses.ts'

export interface WindowTimes {
  readonly keyArn: string
  /** By our clock, in milliseconds since 1970. */
  readonly openedAt: number
  readonly closedAt: number
  /** Of the calls that opened and closed; undefined where an answer was lost. */
  readonly openingId: string | undefined
  readonly closingId: string | undefined
}

export interface WindowUse extends KeyUse {
  /** undefined: nobody said who is expected, or it only looked at the key. */
  readonly isExpected: boolean | undefined
}

export interface WindowUses {
  readonly uses: readonly WindowUse[]
  /** Whether the trail has come as far as the end of the window; undefined: that can't be told. */
  readonly isComplete: boolean | undefined
  readonly isCutShort: boolean
}

export interface Watched {
  /** Their ARNs: of users, roles, or roles' sessions; none: anybody. */
  readonly expected: readonly string[]
  /** Whose own calls for the window are left out. */
  readonly ownAccessKeyId: string
  /** Milliseconds to wait for a trail that is late. */
  readonly patience: number
  readonly onWait?: () => void
}

/** The KMS's clock may be another than ours (milliseconds). */
const clockTolerance = 5 * 60_000
const between = 5000

/** What a window itself calls. */
const own = ['EnableKey', 'DisableKey', 'DescribeKey', 'CreateGrant', 'RevokeGrant', 'ListGrants'] as const

/**
 * What is told of, but is nobody's misuse: monitoring (AWS Config, doctor) asks it of every key at any time.
 * Named one by one, for the trail's readOnly is true of Decrypt too.
 */
const looks = [
  'DescribeKey',
  'GetKeyPolicy',
  'GetKeyRotationStatus',
  'GetPublicKey',
  'ListAliases',
  'ListGrants',
  'ListKeyPolicies',
  'ListKeyRotations',
  'ListResourceTags',
] as const

/** Who used the master key while the window was open. Throws SR_AWS_…. */
export async function usesInWindow(
  access: AwsAccess,
  times: WindowTimes,
  watched: Watched,
): Promise<WindowUses> {
  const until = performance.now() + watched.patience
  for (;;) {
    const found = await lookUp(access, times, watched)
    const left = until - performance.now()
    if (found.isComplete !== false || left <= 0) return found
    watched.onWait?.()
    await setTimeout(Math.min(between, left))
  }
}

async function lookUp(access: AwsAccess, times: WindowTimes, watched: Watched): Promise<WindowUses> {
  const { uses, isCutShort } = await usesOf(access, {
    keyArn: times.keyArn,
    from: new Date(times.openedAt - clockTolerance),
    to: new Date(times.closedAt + clockTolerance),
  })
  // By the trail's own clock where it has both ends, to the second; else by ours.
  const timeOf = (id: string | undefined) =>
    id === undefined ? undefined : uses.find(({ requestId }) => requestId === id)?.time.getTime()
  const [opened, closed] = [timeOf(times.openingId), timeOf(times.closingId)]
  const from = opened ?? Math.floor(times.openedAt / 1000) * 1000
  const to = closed ?? times.closedAt
  return {
    uses: uses
      .filter(({ time }) => time.getTime() >= from && time.getTime() <= to)
      .filter((use) => !isOwn(use, watched))
      .map((use) => ({ ...use, isExpected: isExpected(use, watched.expected) })),
    isComplete: times.closingId === undefined ? undefined : closed !== undefined,
    isCutShort,
  }
}

function isOwn({ accessKeyId, operation }: KeyUse, { ownAccessKeyId }: Watched): boolean {
  return accessKeyId === ownAccessKeyId && own.some((name) => name === operation)
}

function isExpected(use: KeyUse, expected: readonly string[]): boolean | undefined {
  const { principal, role = '', operation } = use
  if (expected.length === 0 || looks.some((name) => name === operation)) return undefined
  return expected.includes(principal) || expected.includes(role)
}
