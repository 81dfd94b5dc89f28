import { StrongroomError } from '../../../errors.ts'
import { checkBackup, restoreBackup, type Restored } from '../../../kms/backup/restore.ts'
import { parseArguments } from '../../arguments.ts'
import type { Command } from '../../command.ts'
import { note, print } from '../../terminal.ts'
import { passphraseHelp } from './seal-options.ts'

const help = `  strongroom kms restore --check --from /backup/kms-2026-01-31
  strongroom kms restore --from /backup/kms-2026-01-31 --data /var/lib/strongroom-kms

Usage: strongroom kms restore --from BACKUP (--data DIR | --check) [options]

Checks a backup: every file against its digest, the database, every sealed secret and every tag in it, and that each
master key encrypts and decrypts. When all is well, makes the data directory DIR of it, which must not exist or be empty.
Nothing is made of a backup in which anything is wrong.

  --from BACKUP            what strongroom kms backup made
  --data DIR               the data directory to make
  --check                  only check; reads a whole copy, in the directory for temporary files
  --root-key FILE          the root key, when its seal is a file and the backup is without it
  --passphrase-file FILE   the passphrase, when it is not to be asked for

Keys that were made after the backup are gone, deletions and revocations after it are undone. The audit trail goes on
where the backup's stood, with a record of the restore.
`

/** `strongroom kms restore`. */
export const restore: Command = {
  help,
  async run(args) {
    const { values } = parseArguments({
      args: [...args],
      options: {
        from: { type: 'string' },
        data: { type: 'string' },
        check: { type: 'boolean', default: false },
        'root-key': { type: 'string' },
        'passphrase-file': { type: 'string' },
      },
    })
    const { from, data, check } = values
    if (from === undefined || from === '') throw usage('--from BACKUP is missing')
    if ((data === undefined || data === '') !== check)
      throw usage('either --data DIR or --check has to be given')
    const options = { ...passphraseHelp(values['passphrase-file']), rootKeyFile: values['root-key'] }
    if (data === undefined || data === '') {
      print(`the backup is whole: ${describe(await checkBackup(from, options))}`)
      return 0
    }
    print(`restored ${data}: ${describe(await restoreBackup(from, data, options))}`)
    note(`strongroom kms --data ${data} starts the service; its files must belong to the service's user`)
    return 0
  },
}

function describe({ manifest, keys, secrets, grants }: Restored): string {
  return `made at ${manifest.madeAt}; ${String(keys)} master keys, ${String(secrets)} secrets and ${String(grants)} grants are as they were written`
}

function usage(message: string): StrongroomError {
  return new StrongroomError('SR_USAGE', message)
}
