import type { Check } from '../check.ts'
import type { Outcome } from '../finding.ts'
import { lastOf } from '../look/option-files.ts'
import { given, isSeen } from '../looked.ts'

/** Of the running server, else of its next start. */
export const secureFilePriv: Check = {
  about: 'secure_file_priv',
  run: ({ server, options }) =>
    isSeen(server)
      ? judge(server.seen.variables.get('secure_file_priv'))
      : given(options, (said) => judge(lastOf(said, 'secure_file_priv'))),
}

function judge(value = ''): Outcome {
  if (value !== '') return []
  return [
    {
      code: 'SRD_SECURE_FILE_PRIV',
      where: 'secure_file_priv',
      what: "is not set: a database user with the FILE privilege reads every file that the server's user may read, and writes files anywhere the server may",
      remedy:
        'set secure_file_priv in [mariadbd] to an existing directory that holds nothing else, and restart MariaDB',
    },
  ]
}
