import { apply } from '../../../deployment/apply.ts'
import { type Deployment, planDeployment } from '../../../deployment/deployment.ts'
import { isDifference } from '../../../deployment/difference.ts'
import { nameOf } from '../../../deployment/piece.ts'
import { reloadSystemd } from '../../../deployment/reload.ts'
import { StrongroomError } from '../../../errors.ts'
import type { Command } from '../../command.ts'
import { note, print } from '../../terminal.ts'
import { askYesOrNo } from '../../yes-or-no.ts'
import { readArguments } from './configure-arguments.ts'
import { asJson, linesFor, nextSteps, remarksOn } from './configure-report.ts'

export const configure: Command = {
  help: `
  strongroom mariadb configure --master-key-id alias/mariadb --region eu-central-1
  strongroom mariadb configure --check

Makes the MariaDB server of this host take its data keys from the agent and encrypt everything: its option file, the agent's
configuration and token, owners and access lists, the user strongroom, and the units of systemd. Shows first what would change, and
asks. What is there already and fits stays, so that without options nothing changes but what was changed by others. Run it as root.
docs/mariadb-configure.md tells what each piece is for, and how to undo it.

  --check               change nothing; exit 1 where something is otherwise than it must be, and name it
  --dry-run             change nothing; show what would change
  --yes                 don't ask
  --json                for programs
  --root DIR            the files of another system, such as an image that is being made

  --listener LISTENER   vault: MariaDB's hashicorp_key_management (default where it is installed, from 10.9 on);
                        plugin: our aws_key_management
  --keyring NAME        (default: the one that agent.conf has, else mariadb)
  --data-directory DIR  MariaDB's (default: what mariadbd says)
  --master-key-id ID    id, ARN, alias or alias ARN in the KMS
  --region REGION       of the KMS
  --endpoint-url URL    of another KMS than Amazon's
  --key-spec SPEC       of new keys, AES_256 or AES_128
  --keyring-id ID       of a new keyring, as strongroom provision printed it
  --encryption-context  bound or none: of a new keyring
  --credentials WAY     how the agent comes by AWS credentials: file (default: /etc/strongroom/aws-credentials, handed over by systemd),
                        encrypted, environment-file, with-mfa, or none (an instance's own)
  --listen ADDRESS      of the Vault listener (default: 127.0.0.1:8201)
  --new-token           a new token before the former ones, which stay valid
  --secure-file-priv DIR   the one folder for LOAD DATA and OUTFILE (default: /var/lib/mysql-files); keep: as it is
  --plugin-file FILE    aws_key_management.so, for --listener plugin
  --option-file FILE    of MariaDB (default: where the distribution has them)
  --config FILE         the agent's configuration (default: /etc/strongroom/agent.conf)
  --program FILE        bin/strongroom for the unit (default: this one)
`,
  async run(args) {
    const { wishes, root, mode, json } = readArguments(args)
    const plan = await planDeployment(root, wishes)
    const differences = plan.comparisons.filter(isDifference)
    if (json) print(JSON.stringify(asJson(plan)))
    else
      linesFor(plan, mode === 'check').forEach((line) => {
        print(line)
      })
    remarksOn(plan).forEach((line) => {
      note(line)
    })
    if (mode === 'check') return plan.comparisons.length === 0 ? 0 : 1
    if (mode === 'dry-run') return 0
    requireRights(plan)
    const open = differences.filter(({ remedy }) => remedy === undefined)
    if (open.length > 0) {
      if (mode === 'ask' && !(await askYesOrNo('Change this?'))) {
        note('nothing was changed')
        return 1
      }
      apply(plan.host, open, (piece) => {
        note(`${nameOf(piece)}: done`)
      })
    }
    if (plan.host.tree.isOurs) reloadSystemd()
    nextSteps(plan).forEach((line) => {
      note(line)
    })
    return 0
  },
}

function requireRights({ host, comparisons }: Deployment): void {
  if (host.tree.isOurs && process.getuid?.() !== 0)
    throw new StrongroomError(
      'SR_DEPLOY_IMPOSSIBLE',
      'only root can change this; --check and --dry-run change nothing',
    )
  const unseen = comparisons.find((comparison) => !isDifference(comparison))
  if (unseen !== undefined)
    throw new StrongroomError('SR_DEPLOY_IMPOSSIBLE', `cannot tell how ${nameOf(unseen.piece)} is`)
}
