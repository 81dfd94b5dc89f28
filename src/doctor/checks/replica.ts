import type { Check } from '../check.ts'
import type { Outcome } from '../finding.ts'
import type { Primary } from '../look/primary.ts'
import { given } from '../looked.ts'

/**
 * Encryption on a replica alone leaves a whole copy of the data in the clear. Nothing that a replica is sent tells whether its
 * primary is encrypted: binary logs are decrypted before they are sent. So the primary has to be asked.
 */
export const replica: Check = {
  about: 'encryption on a replica only',
  run: ({ server }) =>
    given(server, ({ primaries, variables }) => {
      const isEncrypted = ['ON', 'FORCE'].includes(variables.get('innodb_encrypt_tables') ?? '')
      return isEncrypted ? primaries.flatMap(judge) : []
    }),
}

function judge({ host, port, encryptsTables }: Primary): Outcome {
  return given(encryptsTables, (does) =>
    does
      ? []
      : [
          {
            code: 'SRD_REPLICA_ONLY',
            where: `the primary ${host}:${port}`,
            what: 'does not encrypt its tables, while this replica of it does: the same data lies there in the clear',
            remedy:
              'encrypt the primary too, and run doctor there; keep this server on a release without MDEV-31347 meanwhile',
          },
        ],
  )
}
