import { dirname, resolve } from 'node:path'
import { systemCode } from '../errors.ts'
import { iniSections, type Options } from '../ini-file.ts'
import { optionFilesOf, type PresentOption, presentOptions } from '../mariadb/present-options.ts'
import { ownOptionFile, systemFolder } from './places.ts'
import type { Tree } from './tree.ts'
import type { CredentialWay, Listener, Wishes } from './wishes.ts'

/** What a former run, or somebody by hand, left: without other wishes it stays. */
export interface Present {
  readonly agentConfig: string | undefined
  readonly sections: ReadonlyMap<string, Options>
  /** What this user may not read of it, though what must be so depends on it. */
  readonly unreadable: readonly string[]
  readonly optionFile: { readonly path: string; readonly options: readonly PresentOption[] } | undefined
  readonly credentials: CredentialWay | undefined
  /** Of the agent's unit. */
  readonly program: string | undefined
}

/** Throws SR_CONFIG_INVALID. */
export function readPresent(tree: Tree, wishes: Wishes): Present {
  const unreadable: string[] = []
  const read = (path: string): string | undefined => {
    try {
      return tree.read(path)?.toString()
    } catch (error) {
      if (systemCode(error) !== 'EACCES') throw error
      unreadable.push(path)
      return undefined
    }
  }
  const agentConfig = read(wishes.config)
  const path = wishes.optionFile ?? ownOptionFile(tree)
  const text = path === undefined ? undefined : read(path)
  return {
    agentConfig,
    sections: agentConfig === undefined ? new Map() : iniSections(agentConfig, wishes.config),
    unreadable,
    optionFile:
      path === undefined || text === undefined
        ? undefined
        : {
            path,
            options: presentOptions(
              [path],
              ['mariadb'],
              optionFilesOf((file) => tree.place(file)),
            ),
          },
    credentials: credentialsOf(tree, read),
    program: /^ExecStart=(\S+) agent /m.exec(read(`${systemFolder}/strongroom-agent.service`) ?? '')?.[1],
  }
}

/** Which plugin the option file loads. */
export function listenerOf({ optionFile, sections }: Present): Listener | undefined {
  const names = new Set(optionFile?.options.map(({ name }) => name))
  if (names.has('hashicorp-key-management')) return 'vault'
  if (names.has('aws-key-management')) return 'plugin'
  const has = { vault: sections.has('vault-listener'), plugin: sections.has('plugin-listener') }
  if (has.plugin && !has.vault) return 'plugin'
  return has.vault && !has.plugin ? 'vault' : undefined
}

/** Names of the keyrings that agent.conf has. */
export function keyringsOf({ sections }: Present): string[] {
  return [...sections.keys()].flatMap((section) => /^keyring (.+)$/.exec(section)?.[1] ?? [])
}

/** An option as text; an empty one counts as not set. */
export function optionOf({ sections }: Present, section: string, name: string): string | undefined {
  const value = sections.get(section)?.[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** A path in agent.conf starts at its folder. */
export function pathIn(config: string, path: string): string {
  return resolve(dirname(config), path)
}

function credentialsOf(tree: Tree, read: (path: string) => string | undefined): CredentialWay | undefined {
  const dropIn = read(`${systemFolder}/strongroom-agent.service.d/credentials.conf`)
  if (dropIn === undefined) {
    if (tree.look(`${systemFolder}/strongroom-agent.service`) !== undefined) return 'none'
    return undefined
  }
  if (/^LoadCredentialEncrypted=/m.test(dropIn)) return 'encrypted'
  if (/^LoadCredential=/m.test(dropIn)) return 'file'
  return /^EnvironmentFile=/m.test(dropIn) ? 'environment-file' : undefined
}
