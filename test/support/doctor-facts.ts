import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { type AgentConfig, type KeyringConfig, readAgentConfig } from '../../src/agent/config.ts'
import type { AgentExamination } from '../../src/agent/examination.ts'
import type { Examined } from '../../src/doctor/examined.ts'
import { type Looked, seen } from '../../src/doctor/looked.ts'
import type { FileFacts, FileRole } from '../../src/doctor/look/files.ts'
import type { MemoryFacts } from '../../src/doctor/look/host.ts'
import type { OptionFacts } from '../../src/doctor/look/option-files.ts'
import type { ProcessFacts } from '../../src/doctor/look/processes.ts'
import type { Examination, MasterKeyExamination } from '../../src/keyring/examination.ts'
import { scratchDirectory } from './scratch.ts'

/* Parts of what doctor looks at, as they are where all is well, but for what a test says. */

export const exampleArn = 'arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
export const otherArn = 'arn:aws:kms:us-west-2:111122223333:key/0987dcba-09fe-87dc-65ba-ab0987654321'
export const exampleToken = 'not-a-real-token-0123456789'

export function masterKeyWith(parts: Partial<MasterKeyExamination> = {}): MasterKeyExamination {
  return {
    name: exampleArn,
    endpoint: 'AWS KMS',
    region: 'us-west-2',
    described: [{ name: exampleArn, arn: exampleArn, state: 'Enabled' }],
    needed: { 'kms:DescribeKey': null, 'kms:GenerateDataKeyWithoutPlaintext': null, 'kms:Decrypt': null },
    needless: [],
    clockAhead: 0,
    ...parts,
  }
}

export function keyWith(parts: Partial<Examination['keys'][number]> = {}): Examination['keys'][number] {
  const { keyId = 1, version = 1 } = parts
  const file = `/var/lib/mysql/aws-kms-key.${keyId}.${version}`
  return { keyId, version, file, masterKey: exampleArn, isStray: false, ...parts }
}

export function examinationWith(parts: Partial<Examination> = {}): Looked<Examination> {
  return seen({ keyringId: '0'.repeat(32), keys: [keyWith()], masterKey: masterKeyWith(), ...parts })
}

export function agentWith(
  parts: Partial<AgentExamination> = {},
  agent: Partial<AgentExamination['agent']> = {},
): Looked<AgentExamination> {
  return seen({
    keyringId: '0'.repeat(32),
    keys: [keyWith({ inMemory: 'same' })],
    masterKey: masterKeyWith(),
    ...parts,
    agent: { pid: 815, uid: 990, version: '1.2.3', isReady: true, ...agent },
  })
}

/** An agent.conf as the agent reads it; the first keyring is the one that is examined. */
export function configWith(
  t: TestContext,
  text: string,
): Pick<Examined, 'config' | 'keyring' | 'configFile'> {
  const configFile = join(scratchDirectory(t), 'agent.conf')
  writeFileSync(configFile, text)
  const config: AgentConfig = readAgentConfig(configFile)
  const keyring: KeyringConfig | undefined = config.keyrings[0]
  if (keyring === undefined) throw new Error('no keyring')
  return { configFile, config: seen(config), keyring: seen(keyring) }
}

export const vaultConfig = `[agent]
admin-socket = /run/strongroom/admin.sock
[keyring mariadb]
store = directory:/var/lib/mysql
token-file = /etc/strongroom/mariadb.token
`

export const pluginConfig = `[agent]
admin-socket = /run/strongroom/admin.sock
[plugin-listener]
[keyring mariadb]
store = directory:/var/lib/mysql
`

export function optionsWith(
  server: Readonly<Record<string, string>>,
  files: OptionFacts['files'] = [],
): Looked<OptionFacts> {
  return seen({ server: Object.entries(server), files })
}

export function fileWith(role: FileRole, parts: Partial<FileFacts> = {}): FileFacts {
  const none = { reads: false, writes: false }
  return { role, path: `/example/${role}`, mode: 0o640, server: none, anybody: none, ...parts }
}

export function processWith(parts: Partial<ProcessFacts> = {}): ProcessFacts {
  return {
    pid: 4712,
    uid: 1000,
    name: 'example',
    hasAwsSecret: false,
    hasKeyringToken: false,
    accessKeyId: undefined,
    credentialsFile: undefined,
    wipesFreedMemory: false,
    ...parts,
  }
}

export function memoryWith(parts: Partial<MemoryFacts> = {}): Looked<MemoryFacts> {
  return seen({
    coreLimit: '0',
    isKeptFromSwap: false,
    locked: 0,
    replacedLibraries: [],
    commandLine: [],
    ...parts,
  })
}

export const mysqlUser = seen({ name: 'mysql', uid: 102, gid: 105, home: '/nonexistent' })
