import { StrongroomError } from '../errors.ts'

const units: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000 }

export interface DurationBounds {
  readonly least: string
  readonly most: string
}

/** Reads `90s`, `2m` or `1h` as milliseconds. `option` is named in what is thrown: SR_USAGE. */
export function parseDuration(text: string, option: string, { least, most }: DurationBounds): number {
  const duration = millisecondsOf(text)
  if (duration >= millisecondsOf(least) && duration <= millisecondsOf(most)) return duration
  throw new StrongroomError(
    'SR_USAGE',
    `${option} takes a time such as 90s, 2m or 1h, from ${least} to ${most}; "${text}" is none`,
  )
}

/** `1m 32s` */
export function formatDuration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000))
  const parts = [
    [Math.floor(seconds / 3600), 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const
  const shown = parts.filter(([count]) => count > 0).map(([count, unit]) => `${count}${unit}`)
  return shown.length === 0 ? '0s' : shown.join(' ')
}

function millisecondsOf(text: string): number {
  const [, count, unit = ''] = /^(\d{1,6})([smh])$/.exec(text) ?? []
  return Number(count) * (units[unit] ?? NaN)
}
