import type { AgentConfig, KeyringConfig } from '../agent/config.ts'
import type { AgentExamination } from '../agent/examination.ts'
import type { Examination } from '../keyring/examination.ts'
import type { StoreContents } from '../keyring/store.ts'
import type { HostUser } from './look/access.ts'
import type { DataSurvey } from './look/data/data-survey.ts'
import type { FileFacts } from './look/files.ts'
import type { HostFacts, MemoryFacts } from './look/host.ts'
import type { OptionFacts } from './look/option-files.ts'
import type { PluginLoad } from './look/plugin-load.ts'
import type { Processes } from './look/processes.ts'
import type { ServerFacts } from './look/server.ts'
import type { VaultListenerFacts } from './look/vault-listener.ts'
import type { Looked } from './looked.ts'

/** Everything that the checks judge, gathered once. What could not be looked at says why. */
export interface Examined {
  readonly configFile: string
  /** Of the doctor itself, which is the installed one. */
  readonly version: string
  readonly now: Date
  readonly config: Looked<AgentConfig>
  /** The one of the configuration that is examined. */
  readonly keyring: Looked<KeyringConfig>
  /** The running agent's answer; `unseen`: there is none. */
  readonly agent: Looked<AgentExamination>
  /** Every key file and the master key, tried by the agent, or where none runs by the doctor with the same credentials. */
  readonly examination: Looked<Examination>
  /** What lies in the keyring's store: manifest and wrapped keys. */
  readonly store: Looked<StoreContents>
  /** The tokens of each keyring that has a token file, by its name. They are secret. */
  readonly tokens: ReadonlyMap<string, Looked<readonly string[]>>
  /** What the Vault listener answers to who has no token; undefined: there is none by the configuration. */
  readonly vaultListener: Looked<VaultListenerFacts> | undefined
  /** What MariaDB's option files say. */
  readonly options: Looked<OptionFacts>
  readonly pluginLoad: Looked<PluginLoad>
  /** MariaDB's data directory: the running server's, else the option files', else the keyring's. */
  readonly dataDirectory: Looked<string>
  /** What the server's files say, read without keys. */
  readonly data: Looked<DataSurvey>
  /** The running server, asked over its unix socket. */
  readonly server: Looked<ServerFacts>
  /** Whom the server runs as, or would. */
  readonly serverUser: Looked<HostUser>
  readonly processes: Looked<Processes>
  /** Ids of the access keys that the agent has in files or in its environment. */
  readonly agentAccessKeyIds: ReadonlySet<string>
  readonly files: Looked<readonly FileFacts[]>
  readonly host: Looked<HostFacts>
  readonly serverMemory: Looked<MemoryFacts>
  readonly agentMemory: Looked<MemoryFacts>
}
