import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'
import { StrongroomError, systemCode } from '../errors.ts'
import type { Accounts } from './accounts.ts'
import { keyringsOf, listenerOf, optionOf, pathIn, type Present } from './present.ts'
import { credentialFiles, ownOptionFile, ownUploadFolder } from './places.ts'
import { pluginFor } from './plugin-source.ts'
import type { ServerFacts } from './server-facts.ts'
import type { Tree } from './tree.ts'
import type { CredentialWay, Listener, Wishes } from './wishes.ts'

/** Everything that is decided, from wishes, what is there, and defaults. */
export interface Settings {
  readonly config: string
  readonly keyring: string
  readonly listener: Listener
  readonly dataDirectory: string
  /** In which the keyring's files lie. */
  readonly storeDirectory: string
  /** Options of the keyring's section that are asked for. */
  readonly keyringOptions: Readonly<Record<string, string | undefined>>
  readonly adminSocket: string
  /** Address and port. */
  readonly listen: string
  /** undefined: the agent has no Vault listener. */
  readonly vaultPort: number | undefined
  readonly hasTls: boolean
  readonly socketDirectory: string
  readonly credentials: CredentialWay
  readonly tokenFile: string
  /** The first is the server's. undefined: there are some, and this user may not read them. */
  readonly tokenLines: string | undefined
  readonly optionFile: string
  /** undefined: not set by us. */
  readonly secureFilePriv: string | undefined
  /** aws_key_management.so as it must be in the server's plugin folder; undefined: what is there is not ours to say. */
  readonly pluginContent: Buffer | undefined
  /** Options that another file sets to a value of its own that fits. */
  readonly leftOptions: readonly string[]
  readonly databaseUser: string
  /** Of the user: it reads the token. */
  readonly databaseGroup: string
  /** Of the data directory and of the key files in it. */
  readonly dataGroup: string
  readonly program: string
  /** What can't be told without being allowed to read these. */
  readonly unreadable: readonly string[]
}

export interface Ground {
  readonly tree: Tree
  readonly accounts: Accounts
  readonly wishes: Wishes
  readonly present: Present
  readonly facts: ServerFacts
}

const defaultListen = '127.0.0.1:8201'

/** Throws SR_DEPLOY_IMPOSSIBLE and SR_USAGE. */
export function decide(ground: Ground): Settings {
  const { tree, wishes, present, facts } = ground
  const keyring = keyringName(ground)
  const section = `keyring ${keyring}`
  const said = (name: string) => optionOf(present, section, name)
  const listener = wishes.listener ?? listenerOf(present) ?? defaultListener(facts)
  requireMasterKey(ground, said)
  const { storeDirectory, dataDirectory } = directories(ground, said)
  const tokenFile = pathIn(wishes.config, said('token-file') ?? `${keyring}.token`)
  const listen = wishes.listen ?? optionOf(present, 'vault-listener', 'listen') ?? defaultListen
  const hasVault = listener === 'vault' || keepsListener(present, keyring, 'vault-listener')
  const optionFile = optionFileFor(ground)
  const tokens = tokensOf(tree, tokenFile, wishes.newToken)
  return {
    config: wishes.config,
    keyring,
    listener,
    dataDirectory,
    storeDirectory,
    keyringOptions: {
      ...wishes.keyringOptions,
      // Else the agent would go on to read it, whatever systemd hands over.
      ...(wishes.credentials !== undefined &&
        wishes.credentials !== 'none' && { 'credentials-file': undefined }),
    },
    adminSocket: optionOf(present, 'agent', 'admin-socket') ?? '/run/strongroom/admin.sock',
    listen,
    vaultPort: hasVault ? portOf(listen) : undefined,
    hasTls: optionOf(present, 'vault-listener', 'tls-certificate') !== undefined,
    socketDirectory: optionOf(present, 'plugin-listener', 'directory') ?? '/run/strongroom',
    credentials: wishes.credentials ?? credentialsFor(ground, said('credentials'), said('credentials-file')),
    tokenFile,
    tokenLines: tokens,
    optionFile,
    secureFilePriv: uploadFolder(ground),
    pluginContent: listener === 'plugin' ? pluginFor(facts, wishes.pluginFile) : undefined,
    leftOptions: leftOptions(ground, optionFile),
    ...databaseOwner(ground, dataDirectory),
    program: programFor(ground),
    unreadable: [...present.unreadable, ...(tokens === undefined ? [tokenFile] : [])],
  }
}

/** Without one no key is ever made. Who means that, such as for a backup that is only read, says so with an empty one. */
function requireMasterKey({ wishes, present }: Ground, said: (name: string) => string | undefined): void {
  const isSaid = 'master-key-id' in wishes.keyringOptions || said('master-key-id') !== undefined
  if (isSaid || present.unreadable.length > 0 || said('accept-options-from') === 'plugin') return
  throw new StrongroomError(
    'SR_USAGE',
    `--master-key-id is missing: ${wishes.config} has none yet (\`strongroom provision\` makes one)`,
  )
}

/** The keys lie in the data directory, unless agent.conf names one beside it. */
function directories(
  { wishes, facts }: Ground,
  said: (name: string) => string | undefined,
): { storeDirectory: string; dataDirectory: string } {
  const [store, data] = [said('store')?.replace(/^directory:/, ''), said('data-directory')].map((path) =>
    path === undefined ? undefined : pathIn(wishes.config, path),
  )
  const dataDirectory = wishes.dataDirectory ?? data ?? store ?? facts.dataDirectory
  return { dataDirectory, storeDirectory: data === undefined ? dataDirectory : (store ?? dataDirectory) }
}

function keyringName({ wishes, present, facts }: Ground): string {
  const known = keyringsOf(present)
  const name = wishes.keyring ?? (known.length === 1 ? known[0] : undefined) ?? ofDataDirectory() ?? 'mariadb'
  if (/^[A-Za-z0-9_-]+$/.test(name)) return name
  throw new StrongroomError('SR_USAGE', `--keyring ${name}: a name has letters, digits, _ and - alone`)

  function ofDataDirectory(): string | undefined {
    return known.find(
      (other) => optionOf(present, `keyring ${other}`, 'store') === `directory:${facts.dataDirectory}`,
    )
  }
}

/** Whether another keyring needs a listener that this one doesn't. */
export function keepsListener(present: Present, keyring: string, section: string): boolean {
  return present.sections.has(section) && keyringsOf(present).some((name) => name !== keyring)
}

/** The stock plugin where it is installed and does what it must. */
function defaultListener({ version, pluginFiles }: ServerFacts): Listener {
  if (version === undefined)
    throw new StrongroomError(
      'SR_DEPLOY_IMPOSSIBLE',
      'there is no mariadbd here that could be asked: install MariaDB first, or say which way it takes with --listener',
    )
  return vaultPluginFits(version) && pluginFiles.includes('hashicorp_key_management.so') ? 'vault' : 'plugin'
}

export function vaultPluginFits({
  major,
  minor,
}: {
  readonly major: number
  readonly minor: number
}): boolean {
  return major > 10 || (major === 10 && minor >= 9)
}

export function portOf(listen: string): number {
  const port = Number(/:(\d{1,5})$/.exec(listen)?.[1])
  if (port > 0 && port < 65536) return port
  throw new StrongroomError('SR_USAGE', `--listen ${listen}: must be ADDRESS:PORT, such as ${defaultListen}`)
}

function credentialsFor(
  { tree, present }: Ground,
  way: string | undefined,
  credentialsFile: string | undefined,
): CredentialWay {
  if (way === 'with-mfa') return 'with-mfa'
  if (present.credentials !== undefined) return present.credentials
  if (credentialsFile !== undefined) return 'none'
  const ways = ['file', 'encrypted', 'environment-file'] as const
  return ways.find((candidate) => tree.look(credentialFiles[candidate]) !== undefined) ?? 'file'
}

/**
 * The lines of the token file as they must be. A token that is there stays; a new one comes before it, so that servers which hold the
 * former still are served.
 */
function tokensOf(tree: Tree, file: string, another: boolean): string | undefined {
  const read = (): string | undefined => {
    try {
      return tree.read(file)?.toString() ?? ''
    } catch (error) {
      if (systemCode(error) === 'EACCES') return undefined
      throw error
    }
  }
  const lines = read()
  if (lines === undefined) return undefined
  if (firstToken(lines) !== undefined && !another) return lines
  return `${randomBytes(32).toString('hex')}\n${lines}`
}

/** As the agent reads such a file. */
export function firstToken(lines: string): string | undefined {
  return lines
    .split('\n')
    .map((line) => line.trim())
    .find((line) => line !== '' && !line.startsWith('#'))
}

function optionFileFor({ tree, wishes }: Ground): string {
  const file = wishes.optionFile ?? ownOptionFile(tree)
  if (file !== undefined) return file
  throw new StrongroomError(
    'SR_DEPLOY_IMPOSSIBLE',
    'neither /etc/mysql/mariadb.conf.d nor /etc/my.cnf.d is there: install MariaDB first, or name the file with --option-file',
  )
}

/** A folder that the server has already is kept, unless it is no restriction. */
function uploadFolder({ wishes, present, facts, tree }: Ground): string | undefined {
  if (wishes.secureFilePriv !== undefined)
    return wishes.secureFilePriv === 'keep' ? undefined : wishes.secureFilePriv
  const own = present.optionFile
  if (own?.options.some(({ name }) => name.endsWith('-key-management')) === true)
    return mended(own.options.findLast(({ name }) => name === 'secure-file-priv')?.value)
  const ownPath = wishes.optionFile ?? ownOptionFile(tree)
  const others = facts.options.filter(({ name, file }) => name === 'secure-file-priv' && file !== ownPath)
  return restricts(others.at(-1)?.value) ? undefined : ownUploadFolder

  function mended(value: string | undefined): string | undefined {
    return value === undefined || restricts(value) ? value : ownUploadFolder
  }
}

/** Of secure-file-priv, which is no restriction where it is empty. */
export function restricts(folder: string | undefined): boolean {
  return folder !== undefined && folder !== '' && folder !== '/'
}

/** How fast old data is encrypted is the administrator's to say, as long as it is. */
function leftOptions({ facts }: Ground, optionFile: string): string[] {
  const fits: Readonly<Record<string, RegExp>> = {
    'innodb-encryption-threads': /^[1-9]\d*$/,
    'innodb-encryption-rotate-key-age': /^\d+$/,
  }
  const others = facts.options.filter(({ file }) => file !== optionFile)
  return Object.keys(fits).filter(
    (name) => fits[name]?.test(others.findLast((option) => option.name === name)?.value ?? '') === true,
  )
}

function databaseOwner(
  { tree, accounts }: Ground,
  dataDirectory: string,
): Pick<Settings, 'databaseUser' | 'databaseGroup' | 'dataGroup'> {
  const found = tree.look(dataDirectory)
  const isTheirs = found !== undefined && found.uid !== 0
  const databaseUser = isTheirs ? accounts.userName(found.uid) : 'mysql'
  const dataGroup = isTheirs ? accounts.groupName(found.gid) : 'mysql'
  return { databaseUser, databaseGroup: accounts.primaryGroup(databaseUser) ?? dataGroup, dataGroup }
}

function programFor({ tree, wishes, present }: Ground): string {
  if (wishes.program !== undefined) return wishes.program
  if (present.program !== undefined && tree.look(present.program) !== undefined) return present.program
  return tree.isOurs
    ? join(dirname(dirname(import.meta.dirname)), 'bin/strongroom')
    : '/opt/strongroom/bin/strongroom'
}
