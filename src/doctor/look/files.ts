import { readdirSync, type Stats, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { AgentConfig, KeyringConfig } from '../../agent/config.ts'
import { parseKeyFileName } from '../../keyring/wrapped-key.ts'
import { type Looked, seen, unseen } from '../looked.ts'
import { type Access, accessOf, anybody, type HostUser } from './access.ts'
import { awsSecretsIn, type OptionFile } from './option-files.ts'
import { readSmallFile } from './small-file.ts'

/** What a file is there for. */
export type FileRole =
  | 'configuration'
  | 'credentials'
  | 'token'
  | 'option file'
  | 'TLS key'
  | 'key file'
  | 'data directory'
  | 'admin socket'
  | 'plugin socket'

export interface FileFacts {
  readonly role: FileRole
  readonly path: string
  /** The twelve bits of its permissions. */
  readonly mode: number
  /** undefined: it is not known who that is. */
  readonly server: Rights | undefined
  readonly anybody: Rights
}

export interface Rights {
  readonly reads: boolean
  readonly writes: boolean
}

export interface Places {
  readonly configFile: string
  readonly config: AgentConfig | undefined
  readonly keyring: KeyringConfig | undefined
  readonly optionFiles: readonly OptionFile[]
  readonly dataDirectory: string | undefined
  /** Files that may hold AWS credentials. */
  readonly credentials: readonly string[]
}

/** Of every file that matters and is there, who may do what with it. */
export function lookAtFiles(places: Places, serverUser: HostUser | undefined): Looked<readonly FileFacts[]> {
  const found = [...pathsFrom(places)].flatMap(([path, role]) => {
    const stat = statOf(path)
    return stat === undefined ? [] : [{ role, path, mode: stat.mode & 0o7777 }]
  })
  const paths = found.map(({ path }) => path)
  const ofAnybody = accessOf(anybody, paths)
  const ofServer = serverUser && accessOf(serverUser, paths)
  if (ofAnybody === undefined || (serverUser !== undefined && ofServer === undefined))
    return unseen('only root, where it may change its user, can tell what other users may do with files')
  const rights = ({ reads, writes }: Access, path: string) => ({
    reads: reads.has(path),
    writes: writes.has(path),
  })
  return seen(
    found.map((file) => ({
      ...file,
      server: ofServer && rights(ofServer, file.path),
      anybody: rights(ofAnybody, file.path),
    })),
  )
}

/** undefined: there is nothing, or it may not be looked at. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path)
  } catch {
    return undefined
  }
}

function pathsFrom({
  configFile,
  config,
  keyring,
  optionFiles,
  dataDirectory,
  credentials,
}: Places): Map<string, FileRole> {
  const paths = new Map<string, FileRole>()
  const add = (role: FileRole, ...files: readonly (string | undefined)[]) => {
    for (const file of files) if (file !== undefined) paths.set(file, role)
  }
  add('configuration', configFile, dirname(configFile))
  add('option file', ...optionFiles.filter(({ holdsToken }) => holdsToken).map(({ path }) => path))
  add('token', keyring?.tokenFile)
  add('TLS key', config?.vaultListener?.tls?.keyFile)
  add('data directory', dataDirectory)
  add('admin socket', config?.adminSocket)
  if (config?.pluginListener !== undefined && keyring !== undefined)
    add('plugin socket', join(config.pluginListener.directory, keyring.name, 'agent.sock'))
  if (keyring !== undefined) add('key file', ...keyFilesIn(keyring.storeDirectory))
  add('credentials', ...credentials.filter(holdsAwsSecret))
  return paths
}

/** The manifest too. */
function keyFilesIn(directory: string): string[] {
  return namesIn(directory)
    .filter((name) => parseKeyFileName(name) !== undefined || name.startsWith('aws-kms-key.'))
    .map((name) => join(directory, name))
}

/** Where AWS's tools, the guides and systemd units put credentials, as far as the server or everybody could get there. */
export function credentialPlaces({
  keyring,
  dataDirectory,
  serverUser,
  environment,
}: {
  readonly keyring: KeyringConfig | undefined
  readonly dataDirectory: string | undefined
  readonly serverUser: HostUser | undefined
  /** What AWS_SHARED_CREDENTIALS_FILE says somewhere. */
  readonly environment: readonly string[]
}): string[] {
  const homes = [
    '/root',
    ...namesIn('/home').map((name) => join('/home', name)),
    serverUser?.home,
    dataDirectory,
  ]
  const folders = homes.flatMap((home) => (home === undefined || home === '/' ? [] : [join(home, '.aws')]))
  const units = unitFiles()
  return [
    ...new Set([
      ...(keyring?.credentialsFile === undefined ? [] : [keyring.credentialsFile]),
      ...environment,
      ...folders.flatMap((folder) => [join(folder, 'credentials'), join(folder, 'config')]),
      ...(dataDirectory === undefined ? [] : smallFilesIn(dataDirectory)),
      ...smallFilesIn('/etc/strongroom'),
      ...units,
      ...units.flatMap(environmentFilesIn),
    ]),
  ]
}

const unitNames = ['mariadb', 'mysql', 'mysqld', 'strongroom-agent']

/** Units of systemd, which everybody may read, and what is added to them. */
function unitFiles(): string[] {
  const folders = [
    '/etc/systemd/system',
    '/run/systemd/system',
    '/lib/systemd/system',
    '/usr/lib/systemd/system',
  ]
  return folders.flatMap((folder) =>
    unitNames.flatMap((unit) => [
      join(folder, `${unit}.service`),
      ...namesIn(join(folder, `${unit}.service.d`)).map((name) => join(folder, `${unit}.service.d`, name)),
    ]),
  )
}

function environmentFilesIn(unit: string): string[] {
  return [...textOf(unit).matchAll(/^\s*EnvironmentFile\s*=\s*-?(\/\S+)/gm)].map(([, file = '']) => file)
}

/** Credentials are short; data is not looked through. */
const longestText = 65_536

function smallFilesIn(folder: string): string[] {
  return namesIn(folder)
    .map((name) => join(folder, name))
    .filter((path) => {
      const stat = statOf(path)
      return stat?.isFile() === true && stat.size <= longestText
    })
}

function holdsAwsSecret(path: string): boolean {
  return awsSecretsIn(textOf(path)).length > 0
}

/** Nothing where it can't be read; who can't read it as root is not one of those who are looked for. */
function textOf(path: string): string {
  try {
    return readSmallFile(path, longestText).toString('latin1')
  } catch {
    return ''
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** Not secret: they name access keys. */
export function accessKeyIdsIn(file: string): string[] {
  return [...textOf(file).matchAll(/^\s*aws_access_key_id\s*=\s*(\w+)/gim)].map(([, id = '']) => id)
}

/** The tokens of a token file, as the agent reads them; undefined: it can't be read. */
export function tokensIn(file: string): string[] | undefined {
  try {
    return readSmallFile(file)
      .toString('utf8')
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '' && !line.startsWith('#'))
  } catch {
    return undefined
  }
}
