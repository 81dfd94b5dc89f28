import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { StrongroomError } from '../errors.ts'
import type { File, Link, NoFile, Piece } from './piece.ts'
import { ownMark, systemFolder } from './places.ts'
import type { Settings } from './settings.ts'

const agentUnit = `${systemFolder}/strongroom-agent.service`
const agentDropIns = `${agentUnit}.d`
const serverDropIns = `${systemFolder}/mariadb.service.d`

const heading = `# Written by \`${ownMark}\`; what you change here goes.\n`

const credentialTemplates = {
  file: 'credentials-file.conf',
  encrypted: 'credentials-encrypted.conf',
  'environment-file': 'credentials-environment.conf',
} as const

/** The user that the agent runs as, for systemd-sysusers. */
export const sysusersTemplate = 'sysusers.d/strongroom.conf'

/** The agent's unit, its user, and what it may do, as far as systemd sees to it. */
export function agentUnitPieces(settings: Settings): Piece[] {
  const { credentials, vaultPort, dataGroup } = settings
  const template =
    credentials === 'with-mfa' || credentials === 'none' ? undefined : credentialTemplates[credentials]
  const group = `# MariaDB's files belong to another group than mysql here.\n[Service]\nSupplementaryGroups=${dataGroup}\n`
  return [
    unitFile(settings, sysusersTemplate, '/etc/sysusers.d/strongroom.conf'),
    unitFile(settings, 'tmpfiles.d/strongroom.conf', '/etc/tmpfiles.d/strongroom.conf'),
    optionalFile(
      settings,
      template && `strongroom-agent.service.d/${template}`,
      `${agentDropIns}/credentials.conf`,
    ),
    optionalFile(
      settings,
      vaultPort === undefined ? undefined : 'strongroom-agent.service.d/vault-listener.conf',
      `${agentDropIns}/vault-listener.conf`,
    ),
    dataGroup === 'mysql'
      ? { kind: 'no-file', path: `${agentDropIns}/group.conf` }
      : publicFile(`${agentDropIns}/group.conf`, group),
    unitFile(settings, 'strongroom-agent.service', agentUnit),
    enabled('multi-user.target'),
  ]
}

/** What MariaDB's unit gets: it needs the agent. */
export function serverUnitPieces(settings: Settings): Piece[] {
  return [
    optionalFile(
      settings,
      settings.listener === 'vault' ? 'mariadb.service.d/strongroom-vault.conf' : undefined,
      `${serverDropIns}/strongroom-vault.conf`,
    ),
    unitFile(settings, 'mariadb.service.d/strongroom.conf', `${serverDropIns}/strongroom.conf`),
  ]
}

/** As `systemctl enable` does. */
function enabled(target: string): Link {
  return { kind: 'link', path: `${systemFolder}/${target}.wants/strongroom-agent.service`, target: agentUnit }
}

function optionalFile(settings: Settings, template: string | undefined, path: string): File | NoFile {
  return template === undefined ? { kind: 'no-file', path } : unitFile(settings, template, path)
}

function unitFile(settings: Settings, template: string, path: string): File {
  const text = filled(template, settings)
  return { ...publicFile(path, text), isFixed: text === readTemplate(template) }
}

function publicFile(path: string, text: string): File {
  const content = Buffer.from(`${heading}${text}`)
  return { kind: 'file', path, owner: 'root', group: 'root', mode: 0o644, content }
}

/** A template of deploy/systemd with this host's values. Throws SR_DEPLOY_IMPOSSIBLE for one that systemd would read otherwise. */
export function filled(template: string, { program, config, storeDirectory, vaultPort }: Settings): string {
  const values: Readonly<Record<string, string>> = {
    PROGRAM: program,
    CONFIG: config,
    DATA_DIRECTORY: storeDirectory,
    VAULT_PORT: String(vaultPort ?? ''),
  }
  return readTemplate(template).replace(/@([A-Z_]+)@/g, (whole, name: string) => {
    const value = values[name] ?? whole
    // Words, specifiers and quotes of units, and tmpfiles.d's patterns.
    if (!/[\s\p{Cc}%"'\\$*?[\]{}]/u.test(value)) return value
    throw new StrongroomError(
      'SR_DEPLOY_IMPOSSIBLE',
      `${JSON.stringify(value)} can't stand in a unit of systemd, for it holds a space or a special character: name another path`,
    )
  })
}

function readTemplate(template: string): string {
  const file = join(import.meta.dirname, '../../deploy/systemd', template)
  try {
    return readFileSync(file, 'utf8')
  } catch (cause) {
    throw new StrongroomError(
      'SR_DEPLOY_IMPOSSIBLE',
      `cannot read ${file}, which is part of Strongroom: install it anew`,
      { cause },
    )
  }
}
