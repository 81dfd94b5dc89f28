import type { Check } from '../check.ts'
import type { Examined } from '../examined.ts'
import { type Finding, notChecked, type Outcome } from '../finding.ts'
import type { ProcessFacts } from '../look/processes.ts'
import { given, isSeen } from '../looked.ts'

/** A file with AWS credentials that MariaDB's user, or everybody, can read. */
export const credentialsReadable: Check = {
  about: 'who can read AWS credentials',
  run: ({ files, serverUser, server }) =>
    given(files, (all) =>
      given(serverUser, (user) => {
        const restricted = isSeen(server) && (server.seen.variables.get('secure_file_priv') ?? '') !== ''
        const bySql = restricted ? '' : ', and so can a database user with the FILE privilege'
        return all
          .filter(
            ({ role, server: theirs, anybody }) =>
              role === 'credentials' && (theirs?.reads === true || anybody.reads),
          )
          .map(({ path, anybody }) => ({
            code: 'SRD_CREDENTIALS_READABLE',
            where: path,
            what: `holds AWS credentials, and ${anybody.reads ? 'everybody on this host' : `user ${user.name}`} can read it${bySql}`,
            remedy:
              "make a new access key and remove this one in IAM, then keep it where only the agent's user or systemd (LoadCredential=) reads it, mode 0600",
          }))
      }),
    ),
}

/** AWS credentials or an access token in the environment of a process that has no business with them. */
export const secretsInEnvironments: Check = {
  about: 'secrets in the environment of processes',
  run: (examined) =>
    given(examined.processes, ({ looked, closed }) => [
      ...looked.flatMap((process) => [...awsSecretIn(process, examined), ...tokenIn(process, examined)]),
      ...(closed.length === 0 ? [] : [notChecked(whyClosed(closed))]),
    ]),
}

/** A container's root, or a security module, may be kept from single processes. */
function whyClosed(closed: readonly { readonly pid: number; readonly name: string }[]): string {
  const [first] = closed
  if (first !== undefined && closed.length === 1) return `${nameOf(first)} may not be looked into`
  return `${closed.length} processes may not be looked into; run doctor as root`
}

function awsSecretIn(process: ProcessFacts, examined: Examined): Finding[] {
  if (!process.hasAwsSecret || isAgent(process, examined)) return []
  const isServer = belongsToServer(process, examined)
  // Another's credentials, such as those of a backup to S3, are no concern of ours.
  if (!isServer && !isAgentsKey(process, examined)) return []
  return [
    {
      code: 'SRD_CREDENTIALS_IN_ENVIRONMENT',
      where: nameOf(process),
      what: isServer
        ? "has AWS credentials in its environment, where MariaDB's user can read them"
        : "has the agent's AWS credentials in its environment",
      remedy:
        'take them out of its unit, script or profile, restart it, and make a new access key: only the agent needs one',
    },
  ]
}

function tokenIn(process: ProcessFacts, examined: Examined): Finding[] {
  if (!process.hasKeyringToken || isAgent(process, examined)) return []
  // mariadb-backup knows no other way to get it.
  if (/^(mariadb-backup|mariabackup)$/.test(process.name)) return []
  return [
    {
      code: 'SRD_TOKEN_IN_ENVIRONMENT',
      where: nameOf(process),
      what: 'has an access token of the agent in its environment (VAULT_TOKEN)',
      remedy: 'set it for mariadb-backup alone, as it runs; the server reads it from its option file',
    },
  ]
}

function isAgent({ pid }: ProcessFacts, { agent }: Examined): boolean {
  return isSeen(agent) && agent.seen.agent.pid === pid
}

function belongsToServer({ pid, uid }: ProcessFacts, { server, serverUser }: Examined): boolean {
  return (
    (isSeen(server) && server.seen.pid === pid) ||
    (isSeen(serverUser) && serverUser.seen.uid !== 0 && serverUser.seen.uid === uid)
  )
}

function isAgentsKey({ accessKeyId }: ProcessFacts, { agentAccessKeyIds }: Examined): boolean {
  return accessKeyId !== undefined && agentAccessKeyIds.has(accessKeyId)
}

function nameOf({ pid, name }: Pick<ProcessFacts, 'pid' | 'name'>): string {
  return `process ${pid} (${name})`
}

/** AWS credentials in MariaDB's option files: every program of MariaDB may read those. */
export const credentialsInOptionFiles: Check = {
  about: "AWS credentials in MariaDB's option files",
  run: ({ options }): Outcome =>
    given(options, ({ files }) =>
      files.flatMap(({ path, awsSecrets }) =>
        awsSecrets.length === 0
          ? []
          : [
              {
                code: 'SRD_CREDENTIALS_IN_OPTION_FILE',
                where: path,
                what: `holds ${awsSecrets.join(' and ')}`,
                remedy:
                  'remove it there, make a new access key, and give that to the agent alone (docs/configuration.md, credentials-file); MariaDB needs none',
              },
            ],
      ),
    ),
}
