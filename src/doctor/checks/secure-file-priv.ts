import type { Check } from '../check.ts'
import { given } from '../looked.ts'

export const secureFilePriv: Check = {
  about: 'secure_file_priv',
  run: ({ server }) =>
    given(server, ({ variables }) => {
      const value = variables.get('secure_file_priv') ?? ''
      if (value !== '') return []
      return [
        {
          code: 'SRD_SECURE_FILE_PRIV',
          where: 'secure_file_priv',
          what: 'is not set: a database user with the FILE privilege reads every file that everybody may read, and writes files anywhere the server may',
          remedy:
            'set secure_file_priv in [mariadbd] to an existing directory that holds nothing else, and restart MariaDB',
        },
      ]
    }),
}
