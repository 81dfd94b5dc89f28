import type { Check } from '../check.ts'
import { type Finding, notChecked } from '../finding.ts'
import { hasFault, knownFaults } from '../known-faults.ts'
import { given } from '../looked.ts'

/** Faults of the server's release about encryption, as far as they concern a server that is set like this one. */
export const serverRelease: Check = {
  about: "the server's release",
  run: ({ server }) =>
    given(server, (facts) => {
      const release = facts.variables.get('version') ?? ''
      if (!/^\d+\.\d+\.\d+/.test(release))
        return [notChecked(`the server does not tell its release (${release})`)]
      return knownFaults
        .filter((fault) => fault.concerns(facts) && hasFault(release, fault) === true)
        .map(({ issue, what, fixedIn }): Finding => ({
          code: 'SRD_SERVER_FAULT',
          where: `MariaDB ${release}`,
          what: `has a known fault: ${what} (${issue})`,
          remedy: `upgrade to a release that has it mended: ${fixedIn.join(', ')} or later of each series`,
        }))
    }),
}
