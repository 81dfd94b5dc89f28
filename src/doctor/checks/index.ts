import type { Check } from '../check.ts'
import { configuration, runningAgent } from './agent.ts'
import { clockSkew } from './clock.ts'
import { credentialsInOptionFiles, credentialsReadable, secretsInEnvironments } from './credentials.ts'
import { dataReading } from './data-reading.ts'
import { encryptionOptions } from './encryption-options.ts'
import { fileModes } from './file-modes.ts'
import { activePlugin, pluginLoads, pluginPlace } from './key-plugin.ts'
import { keyIdIgnored } from './key-id-ignored.ts'
import { keyFiles } from './keys.ts'
import { masterKeyIdentity, masterKeyState } from './master-key.ts'
import { coreDumps, freedMemory, lockedMemory, swap } from './memory.ts'
import { neededKeys } from './needed-keys.ts'
import { otherEngines } from './other-engines.ts'
import { ariaLog, plaintextAria } from './plaintext-aria.ts'
import { plaintextBinaryLogs, plaintextRedoLog, statementLogs } from './plaintext-logs.ts'
import { partlyPlaintextTables, plaintextTables } from './plaintext-tables.ts'
import { serverToken, sharedTokens, vaultListener } from './reach.ts'
import { replica } from './replica.ts'
import { needlessRights, neededRights } from './rights.ts'
import { secureFilePriv } from './secure-file-priv.ts'
import { serverRelease } from './server-release.ts'

/** Every check: the table of contents of `strongroom doctor`. The order is that of "not checked"; findings are ordered by severity. */
export const checks: readonly Check[] = [
  // The agent
  configuration,
  runningAgent,
  vaultListener,
  sharedTokens,
  // The KMS
  masterKeyState,
  masterKeyIdentity,
  neededRights,
  needlessRights,
  clockSkew,
  // The store
  keyFiles,
  // The server
  activePlugin,
  pluginPlace,
  serverToken,
  pluginLoads,
  encryptionOptions,
  replica,
  serverRelease,
  // The data
  dataReading,
  neededKeys,
  plaintextTables,
  partlyPlaintextTables,
  keyIdIgnored,
  plaintextAria,
  ariaLog,
  otherEngines,
  plaintextRedoLog,
  plaintextBinaryLogs,
  statementLogs,
  // The host
  credentialsReadable,
  credentialsInOptionFiles,
  secretsInEnvironments,
  secureFilePriv,
  fileModes,
  swap,
  coreDumps,
  lockedMemory,
  freedMemory,
]
