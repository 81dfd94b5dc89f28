import { dirname, join } from 'node:path'
import { agentConfigText } from './agent-config-text.ts'
import type { Access, File, Piece } from './piece.ts'
import { credentialFiles, ownConfigFolder, ownUploadFolder } from './places.ts'
import { serverOptionFile } from './server-option-file.ts'
import { firstToken, type Ground, type Settings } from './settings.ts'
import { agentUnitPieces, filled, serverUnitPieces, sysusersTemplate } from './systemd-pieces.ts'

export const agentUser = 'strongroom'

/** Everything that must be so, in the order in which it is put right: what makes MariaDB need the agent comes last. */
export function piecesFor(ground: Ground, settings: Settings): Piece[] {
  const pieces: Piece[] = [
    { kind: 'account', name: agentUser, sysusers: filled(sysusersTemplate, settings) },
    configFolder(dirname(settings.config)),
    ...tokenPieces(settings),
    agentFile(settings.config, agentConfigText(ground.present, settings)),
    ...credentialPieces(settings),
    ...accessPieces(ground, settings),
    ...agentUnitPieces(settings),
    ...uploadPieces(settings),
    ...pluginPieces(ground, settings),
    ...serverUnitPieces(settings),
    optionFilePiece(settings),
  ]
  return settings.unreadable.length === 0 ? pieces : pieces.flatMap(asFarAsKnown)
}

/** What depends on a file that can't be read can't be told. */
function asFarAsKnown(piece: Piece): Piece[] {
  if (piece.kind === 'no-file') return []
  return [piece.kind === 'file' && piece.isFixed !== true ? { ...piece, content: undefined } : piece]
}

function configFolder(path: string): Piece {
  const staysAsFound = path !== ownConfigFolder
  return { kind: 'directory', path, owner: 'root', group: agentUser, mode: 0o750, staysAsFound }
}

function tokenPieces({ tokenFile, tokenLines, vaultPort }: Settings): File[] {
  if (vaultPort === undefined) return []
  return [{ ...agentFile(tokenFile, tokenLines ?? ''), secrets: tokensIn(tokenLines), keepsFormer: true }]
}

function agentFile(path: string, text: string): File {
  return { kind: 'file', path, owner: 'root', group: agentUser, mode: 0o640, content: Buffer.from(text) }
}

function credentialPieces({ credentials }: Settings): Piece[] {
  if (credentials === 'none' || credentials === 'with-mfa') return []
  const remedies = {
    file: 'put the credentials there as AWS has them, [default] with aws_access_key_id and aws_secret_access_key (`strongroom provision` makes such a file)',
    encrypted:
      'make it with `systemd-creds encrypt --name=aws-credentials /dev/stdin FILE`, from credentials as AWS has them',
    'environment-file': 'put AWS_ACCESS_KEY_ID=… and AWS_SECRET_ACCESS_KEY=… there, a line each',
  }
  const path = credentialFiles[credentials]
  return [
    { kind: 'secret-file', path, owner: 'root', group: 'root', mode: 0o600, remedy: remedies[credentials] },
  ]
}

/** The agent makes key files in the store, and looks whether the data directory holds a database. */
function accessPieces({ tree }: Ground, { storeDirectory, dataDirectory }: Settings): Access[] {
  const access = (path: string, rights: string): Access => ({ kind: 'access', path, user: agentUser, rights })
  const wayTo = (directory: string) =>
    ancestors(directory)
      .filter((folder) => ((tree.look(folder)?.mode ?? 0o001) & 0o001) === 0)
      .map((folder) => access(folder, '--x'))
  return [
    ...wayTo(storeDirectory),
    access(storeDirectory, 'rwx'),
    ...(dataDirectory === storeDirectory ? [] : [...wayTo(dataDirectory), access(dataDirectory, 'r-x')]),
  ]
}

/** From the top, without the root and itself. */
function ancestors(directory: string): string[] {
  const parent = dirname(directory)
  return parent === '/' || parent === directory ? [] : [...ancestors(parent), parent]
}

function uploadPieces({ secureFilePriv, databaseUser, databaseGroup }: Settings): Piece[] {
  if (secureFilePriv === undefined || secureFilePriv === '') return []
  const staysAsFound = secureFilePriv !== ownUploadFolder
  return [
    {
      kind: 'directory',
      path: secureFilePriv,
      owner: databaseUser,
      group: databaseGroup,
      mode: 0o750,
      staysAsFound,
    },
  ]
}

function pluginPieces({ facts }: Ground, { pluginContent }: Settings): Piece[] {
  if (pluginContent === undefined || facts.pluginFolder === undefined) return []
  const path = join(facts.pluginFolder, 'aws_key_management.so')
  return [{ kind: 'file', path, owner: 'root', group: 'root', mode: 0o644, content: pluginContent }]
}

function optionFilePiece(settings: Settings): File {
  const token = firstToken(settings.tokenLines ?? '')
  return {
    kind: 'file',
    path: settings.optionFile,
    owner: 'root',
    group: settings.databaseGroup,
    mode: 0o640,
    content: Buffer.from(serverOptionFile(settings, token)),
    secrets: tokensIn(settings.tokenLines),
  }
}

/** What is commented out may open the keyring still. */
function tokensIn(lines: string | undefined): string[] {
  return (lines ?? '')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
}
