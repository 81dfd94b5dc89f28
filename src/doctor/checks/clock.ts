import type { Check } from '../check.ts'
import { notChecked } from '../finding.ts'
import { given } from '../looked.ts'

/** Milliseconds. KMS refuses what was signed more than five minutes ago, or will be in five. */
const tolerated = 60_000

/** By the Date header of an answer of the KMS. */
export const clockSkew: Check = {
  about: "this host's clock against the KMS's",
  run: ({ examination }) =>
    given(examination, ({ masterKey: { clockAhead, endpoint } }) => {
      if (clockAhead === undefined) return [notChecked(`${endpoint} did not tell its time`)]
      if (Math.abs(clockAhead) <= tolerated) return []
      const seconds = Math.round(Math.abs(clockAhead) / 1000)
      return [
        {
          code: 'SRD_CLOCK_SKEW',
          where: "this host's clock",
          what: `is ${seconds} seconds ${clockAhead > 0 ? 'ahead of' : 'behind'} the clock of ${endpoint}; from 300 on it refuses every request`,
          remedy: 'let chrony or systemd-timesyncd set it (timedatectl status)',
        },
      ]
    }),
}
