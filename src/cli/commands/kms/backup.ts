import { StrongroomError } from '../../../errors.ts'
import { type MadeBackup, makeBackup } from '../../../kms/backup/make-backup.ts'
import { parseArguments } from '../../arguments.ts'
import type { Command } from '../../command.ts'
import { note, print } from '../../terminal.ts'

const help = `  strongroom kms backup --data /var/lib/strongroom-kms --to /backup/kms-2026-01-31

Usage: strongroom kms backup --data DIR --to NEW [--with-audit-trail] [--include-root-key]

Copies the database as it is at one moment, while the service answers requests or when it does not run, and what the
root key is sealed with. Every secret in it is encrypted with the root key: to be of use, a backup needs what opens that.

  --data DIR           the data directory
  --to NEW             a directory that does not exist yet
  --with-audit-trail   copies the audit trail too
  --include-root-key   seal = file: copies the root key itself. Whoever reads the backup can use every key then.

The root user's access key (DIR/root-access-key) is not in it as a file. Check each backup: strongroom kms restore --check.
`

/** `strongroom kms backup`. */
export const backup: Command = {
  help,
  async run(args) {
    const { values } = parseArguments({
      args: [...args],
      options: {
        data: { type: 'string' },
        to: { type: 'string' },
        'with-audit-trail': { type: 'boolean', default: false },
        'include-root-key': { type: 'boolean', default: false },
      },
    })
    const { data, to } = values
    if (data === undefined || data === '') throw new StrongroomError('SR_USAGE', '--data DIR is missing')
    if (to === undefined || to === '') throw new StrongroomError('SR_USAGE', '--to NEW is missing')
    const made = await makeBackup(data, to, {
      includeRootKey: values['include-root-key'],
      withAuditTrail: values['with-audit-trail'],
    })
    const how = made.online ? 'while the service runs' : 'of a service that does not run'
    print(`made the backup ${made.directory} ${how}: ${String(made.rows['keys'] ?? 0)} master keys`)
    for (const line of warnings(made)) note(line)
    return 0
  },
}

/** What it takes beside the backup to open it. */
function warnings({ seal, rootKeyIncluded, rootKeyFile }: MadeBackup): string[] {
  switch (seal) {
    case 'file':
      return rootKeyIncluded
        ? ['the root key is IN the backup, in the clear: whoever reads it can use every key; guard it so']
        : [
            `the root key is NOT in the backup, and without it the backup opens for nobody: keep a copy of ${rootKeyFile} ` +
              'in another place, once and for all backups',
          ]
    case 'passphrase':
      return ['the backup opens with the passphrase that the service has now, and with nothing else']
    case 'systemd':
      return [
        'the backup opens on this machine only, by its TPM2 chip or the key in /var/lib/systemd: if the machine is ' +
          'lost, so is the backup; keep one under another seal (strongroom kms reseal) too',
      ]
    case 'kms':
      return ['the backup opens while the KMS key that seals the root key exists and may be used']
  }
}
