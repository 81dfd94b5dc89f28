import { StrongroomError } from '../../../errors.ts'
import { reseal as resealDirectory } from '../../../kms/state/reseal.ts'
import { parseArguments } from '../../arguments.ts'
import type { Command } from '../../command.ts'
import { note, print } from '../../terminal.ts'
import { passphraseHelp, sealFlags, sealRequest } from './seal-options.ts'

const help = `  strongroom kms reseal --data /var/lib/strongroom-kms --seal passphrase

Usage: strongroom kms reseal --data DIR --seal KIND [options]

Changes what protects the root key while the service is down. Stop the service first. The root key stays the same, and
the old seal is removed only when the new one has been opened.

  --data DIR             the data directory
  --seal file            in the clear in DIR/root-key: for development
  --seal passphrase      encrypted with a passphrase (Argon2id), which every start takes
  --seal systemd         encrypted by systemd-creds for this machine; takes root
  --seal kms             encrypted by another KMS, Amazon's or one of these; credentials come from where AWS's tools look
  --seal-key-id KEY      kms: the key there: id, ARN or alias
  --seal-region REGION   kms: its region, when KEY is no ARN
  --seal-endpoint URL    kms: when it is not Amazon's
  --passphrase-file FILE      the passphrase that there is, when it is not to be asked for
  --new-passphrase-file FILE  the passphrase that is to be

Backups that were made before open with what protected the root key then: keep it, or make a new backup.
`

/** `strongroom kms reseal`. */
export const reseal: Command = {
  help,
  async run(args) {
    const { values } = parseArguments({
      args: [...args],
      options: {
        data: { type: 'string' },
        'passphrase-file': { type: 'string' },
        'new-passphrase-file': { type: 'string' },
        ...sealFlags,
      },
    })
    const request = sealRequest(values)
    if (values.data === undefined || values.data === '') throw usage('--data DIR is missing')
    if (request === undefined) throw usage('--seal KIND is missing')
    const { from, to } = await resealDirectory(values.data, request, {
      open: passphraseHelp(values['passphrase-file']),
      make: passphraseHelp(values['new-passphrase-file'], ' from now on'),
    })
    print(`the root key was sealed by ${from} and is sealed by ${to} now`)
    if (from === 'file' && to !== 'file') {
      note(
        'the root key lay in the clear before: copies of the directory that were made then, and perhaps the disk, ' +
          'still have it',
      )
    }
    return 0
  },
}

function usage(message: string): StrongroomError {
  return new StrongroomError('SR_USAGE', message)
}
