import { type AgentConfig, type KeyringConfig, readAgentConfig } from '../agent/config.ts'
import { version } from '../agent/version.ts'
import type { Examined } from './examined.ts'
import { type HostUser, hostUser, hostUserOf } from './look/access.ts'
import { type AskAgent, lookAtStore, lookAtTokens, lookThroughAgent, lookWithoutAgent } from './look/agent.ts'
import { lookAtData } from './look/data/look-at-data.ts'
import { accessKeyIdsIn, credentialPlaces, lookAtFiles, statOf } from './look/files.ts'
import { lookAtHost, lookAtMemoryOf } from './look/host.ts'
import { lastOf, lookAtOptions, type OptionFacts } from './look/option-files.ts'
import { lookAtPluginLoad } from './look/plugin-load.ts'
import { lookAtProcesses } from './look/processes.ts'
import { lookAtServer, type ServerFacts } from './look/server.ts'
import { lookAtVaultListener } from './look/vault-listener.ts'
import { isSeen, type Looked, seen, unseen, unseenBy } from './looked.ts'

export interface HostToExamine {
  readonly configFile: string
  /** undefined: the only one. */
  readonly keyringName: string | undefined
  /** The server's (--defaults-file); undefined: MariaDB's own. */
  readonly optionFile: string | undefined
  /** The server's; undefined: by the option files. */
  readonly socket: string | undefined
  /** By whom the server is asked. */
  readonly user: string
  /** Whether the server's primaries are asked too, with the user by whom it replicates. */
  readonly asksPrimaries: boolean
  /** Every page of the data is read, however long it takes. */
  readonly thorough: boolean
  readonly askAgent: AskAgent
}

/** Looks at everything once, and changes nothing. */
export async function examineHost(host: HostToExamine): Promise<Examined> {
  const agentSide = await examineAgentSide(host)
  const serverSide = await examineServerSide(host, agentSide.keyring)
  return {
    configFile: host.configFile,
    version,
    now: new Date(),
    ...agentSide,
    ...serverSide,
    ...examineFiles(host, { ...agentSide, ...serverSide }),
    host: lookAtHost(),
  }
}

type AgentSide = Pick<
  Examined,
  'config' | 'keyring' | 'agent' | 'examination' | 'store' | 'tokens' | 'vaultListener' | 'agentMemory'
>

async function examineAgentSide({ configFile, keyringName, askAgent }: HostToExamine): Promise<AgentSide> {
  const config = attempt(() => readAgentConfig(configFile))
  const keyring = keyringOf(config, keyringName)
  const agent = await lookThroughAgent(config, keyring, askAgent)
  return {
    config,
    keyring,
    agent,
    examination: isSeen(agent) ? agent : await lookWithoutAgent(keyring, configFile),
    store: await lookAtStore(keyring),
    tokens: lookAtTokens(config),
    vaultListener: await vaultListenerOf(config, keyring),
    agentMemory: isSeen(agent) ? lookAtMemoryOf(agent.seen.agent.pid) : agent,
  }
}

type ServerSide = Pick<
  Examined,
  'options' | 'pluginLoad' | 'dataDirectory' | 'data' | 'server' | 'serverUser' | 'serverMemory'
>

async function examineServerSide(
  { optionFile, socket, user, asksPrimaries, thorough }: HostToExamine,
  keyring: Looked<KeyringConfig>,
): Promise<ServerSide> {
  const known = lookAtOptions(optionFile)
  const server = await lookAtServer({ socket: socket ?? socketBy(known), user, asksPrimaries })
  const serverMemory = isSeen(server) ? lookAtMemoryOf(server.seen.pid) : server
  const options = optionFile === undefined ? (optionsOfRunning(serverMemory) ?? known) : known
  const dataDirectory = dataDirectoryBy(server, options, keyring)
  return {
    options,
    pluginLoad: isSeen(options) ? lookAtPluginLoad(options.seen) : options,
    dataDirectory,
    data: await lookAtData({ dataDirectory, server, options, thorough }),
    server,
    serverUser: serverUserBy(server, options, dataDirectory),
    serverMemory,
  }
}

/** Those of a server that was started with an option file of its own. */
function optionsOfRunning(serverMemory: Examined['serverMemory']): Looked<OptionFacts> | undefined {
  const argument = (valueOf(serverMemory)?.commandLine ?? []).find((one) =>
    one.startsWith('--defaults-file='),
  )
  return argument === undefined ? undefined : lookAtOptions(argument.slice('--defaults-file='.length))
}

function examineFiles(
  { configFile }: HostToExamine,
  known: AgentSide & ServerSide,
): Pick<Examined, 'processes' | 'agentAccessKeyIds' | 'files'> {
  const tokens = [...known.tokens.values()].flatMap((found) => valueOf(found) ?? [])
  const processes = lookAtProcesses(tokens)
  const agentPid = valueOf(known.agent)?.agent.pid
  const agentProcess = valueOf(processes)?.looked.find(({ pid }) => pid === agentPid)
  const keyring = valueOf(known.keyring)
  const serverUser = valueOf(known.serverUser)
  const places = {
    configFile,
    config: valueOf(known.config),
    keyring,
    optionFiles: valueOf(known.options)?.files ?? [],
    dataDirectory: valueOf(known.dataDirectory),
  }
  const environment = agentProcess?.credentialsFile === undefined ? [] : [agentProcess.credentialsFile]
  const ownFiles = [
    ...(keyring?.credentialsFile === undefined ? [] : [keyring.credentialsFile]),
    ...environment,
  ]
  const credentials = credentialPlaces({ ...places, serverUser, environment })
  return {
    processes,
    agentAccessKeyIds: new Set([
      ...(agentProcess?.accessKeyId === undefined ? [] : [agentProcess.accessKeyId]),
      ...ownFiles.flatMap(accessKeyIdsIn),
    ]),
    files: lookAtFiles({ ...places, credentials }, serverUser),
  }
}

function attempt<T>(look: () => T): Looked<T> {
  try {
    return seen(look())
  } catch (error) {
    return unseenBy(error)
  }
}

function valueOf<T>(looked: Looked<T>): T | undefined {
  return isSeen(looked) ? looked.seen : undefined
}

function keyringOf(config: Looked<AgentConfig>, wanted: string | undefined): Looked<KeyringConfig> {
  if (!isSeen(config)) return config
  const { keyrings } = config.seen
  const [only, ...others] = keyrings.filter(({ name }) => wanted === undefined || name === wanted)
  if (only !== undefined && others.length === 0) return seen(only)
  return unseen(
    `the configuration has the keyrings ${keyrings.map(({ name }) => name).join(', ')}: name one with --keyring`,
  )
}

/** Debian's, where nothing says otherwise. */
const usualSocket = '/run/mysqld/mysqld.sock'

function socketBy(options: Looked<OptionFacts>): string {
  return (isSeen(options) ? lastOf(options.seen, 'socket') : undefined) ?? usualSocket
}

function dataDirectoryBy(
  server: Looked<ServerFacts>,
  options: Looked<OptionFacts>,
  keyring: Looked<KeyringConfig>,
): Looked<string> {
  const said =
    valueOf(server)?.variables.get('datadir') ??
    (isSeen(options) ? lastOf(options.seen, 'datadir') : undefined) ??
    valueOf(keyring)?.dataDirectory
  return said === undefined
    ? unseen(
        'nothing says where the data directory is: neither a running server nor option files nor the agent',
      )
    : seen(said.replace(/(?<=.)\/+$/, ''))
}

/** Whom the process belongs to, else whom the option files name, else the owner of the data. */
function serverUserBy(
  server: Looked<ServerFacts>,
  options: Looked<OptionFacts>,
  dataDirectory: Looked<string>,
): Looked<HostUser> {
  const { pid } = valueOf(server) ?? {}
  const named = isSeen(options) ? lastOf(options.seen, 'user') : undefined
  const uids = [
    ...(pid === undefined ? [] : [`/proc/${pid}`]),
    ...(isSeen(dataDirectory) ? [dataDirectory.seen] : []),
  ].flatMap((path) => statOf(path)?.uid ?? [])
  const [owner] = uids
  const user = owner === undefined ? hostUser(named ?? 'mysql') : hostUserOf(owner)
  return user === undefined ? unseen('it is not known which user the server runs as') : seen(user)
}

async function vaultListenerOf(
  config: Looked<AgentConfig>,
  keyring: Looked<KeyringConfig>,
): Promise<Examined['vaultListener']> {
  const listener = valueOf(config)?.vaultListener
  if (listener === undefined || !isSeen(keyring)) return undefined
  return await lookAtVaultListener(listener, keyring.seen.name)
}
