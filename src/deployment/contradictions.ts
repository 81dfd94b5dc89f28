import { join } from 'node:path'
import {
  optionFilesOf,
  type PresentOption,
  presentOptions,
  serverGroups,
  withFile,
} from '../mariadb/present-options.ts'
import { isDenial } from './difference.ts'
import { credentialFiles } from './places.ts'
import { isOurPlugin } from './plugin-source.ts'
import { keyringsOf, optionOf, pathIn } from './present.ts'
import { serverOptionFile, serverOptions } from './server-option-file.ts'
import { type Ground, restricts, type Settings, vaultPluginFits } from './settings.ts'
import type { Tree } from './tree.ts'
import type { Listener } from './wishes.ts'

/** What the host has against it. With a contradiction nothing is changed; a remark is for information. */
export interface Objections {
  readonly contradictions: readonly string[]
  readonly remarks: readonly string[]
}

export const pluginOf: Readonly<Record<Listener, string>> = {
  vault: 'hashicorp_key_management',
  plugin: 'aws_key_management',
}

/** Whatever hands out keys: a server can have one of them. */
const keyPlugins = [
  'file_key_management',
  'hashicorp_key_management',
  'aws_key_management',
  'example_key_management',
  'debug_key_management',
]

export function objections(ground: Ground, settings: Settings): Objections {
  const others = optionsBeside(ground, settings)
  return {
    contradictions: [
      ...foreignPlugins(others, settings),
      ...overruled(others, settings),
      ...notRead(others, ground, settings),
      ...directoryObjections(ground, settings),
      ...storeTwice(ground, settings),
      ...unfitServer(ground, settings),
    ],
    remarks: [
      ...overruledByUs(others, settings),
      ...unrestricted(others, settings),
      ...unusedCredentials(ground, settings),
    ],
  }
}

function overruledByUs({ before }: Beside, settings: Settings): string[] {
  return before.flatMap((option) => {
    const ours = ownValue(settings, option.name)
    if (ours === undefined || isSame(ours, option.value) || isPlugin(option.name)) return []
    return [
      `${at(option)} says ${shown(option)}; the option file of Strongroom comes later, so ${ours} counts`,
    ]
  })
}

/** They open the keys as before, to whoever gets hold of them. */
function unusedCredentials({ tree, present }: Ground, { config, credentials }: Settings): string[] {
  const named = keyringsOf(present).map((name) => optionOf(present, `keyring ${name}`, 'credentials-file'))
  const used = new Set(named.flatMap((path) => (path === undefined ? [] : [pathIn(config, path)])))
  return Object.entries(credentialFiles).flatMap(([way, path]) =>
    way === credentials || used.has(path) || !isThere(tree, path)
      ? []
      : [`${path} is not used: remove it, or take it with --credentials ${way}`],
  )
}

function isThere(tree: Tree, path: string): boolean {
  try {
    return tree.look(path) !== undefined
  } catch (error) {
    if (isDenial(error)) return false
    throw error
  }
}

function unrestricted({ before, after }: Beside, { secureFilePriv }: Settings): string[] {
  const theirs = [...before, ...after].findLast(({ name }) => name === 'secure-file-priv')?.value
  if (secureFilePriv !== undefined || restricts(theirs)) return []
  return [
    'secure-file-priv restricts nothing: users with the privilege FILE read what the server may read, the token and the wrapped keys too; --secure-file-priv names a folder',
  ]
}

interface Beside {
  readonly before: readonly PresentOption[]
  readonly after: readonly PresentOption[]
  /** Whether the server reads our file at all. */
  readonly isRead: boolean
}

/** The options of other files that the server reads, by whether ours come before or after them. */
function optionsBeside({ tree, facts }: Ground, settings: Settings): Beside {
  const { optionFile } = settings
  const files = withFile(
    optionFilesOf((path) => tree.place(path)),
    optionFile,
    serverOptionFile(settings, 'none'),
  )
  const all = presentOptions(facts.optionRoots, serverGroups(facts.version), files)
  const first = all.findIndex(({ file }) => file === optionFile)
  const others = (from: number, to: number) => all.slice(from, to).filter(({ file }) => file !== optionFile)
  return first < 0
    ? { before: all, after: [], isRead: false }
    : { before: others(0, first), after: others(first, all.length), isRead: true }
}

/** Who has a key plugin has data under its keys, or soon will have. */
function foreignPlugins({ before, after }: Beside, { listener }: Settings): string[] {
  return [...before, ...after].flatMap((option) => {
    if (option.name !== 'plugin-load' && option.name !== 'plugin-load-add') {
      const isUrl = option.name === 'hashicorp-key-management-vault-url'
      return isUrl
        ? [
            `${at(option)} names a Vault of its own, ${option.value ?? ''}: remove the line, or see which data has its keys from there`,
          ]
        : []
    }
    const names = (option.value ?? '')
      .split(';')
      .map((entry) => entry.replace(/^.*=/, '').replace(/\.so$/, '').trim())
    return keyPlugins
      .filter((plugin) => names.includes(plugin))
      .map((plugin) =>
        plugin === pluginOf[listener]
          ? `${at(option)} loads ${plugin} as well: remove the line, for Strongroom's option file does so`
          : `${at(option)} loads ${plugin}, which hands out other keys: decrypt what it encrypted (docs/mariadb-configure.md), then remove the line`,
      )
  })
}

/** Lines that count more than ours. */
function overruled({ after }: Beside, settings: Settings): string[] {
  return after.flatMap((option) => {
    if (option.name === 'plugin-load')
      return [
        `${at(option)} says plugin-load and is read after ${settings.optionFile}, so that it undoes plugin-load-add there: write plugin-load-add`,
      ]
    const ours = ownValue(settings, option.name)
    if (ours === undefined || isSame(ours, option.value) || isPlugin(option.name)) return []
    return [
      `${at(option)} says ${shown(option)} and is read after ${settings.optionFile}, which says ${ours}: remove the line`,
    ]
  })
}

function notRead({ isRead }: Beside, { tree, facts, wishes }: Ground, { optionFile }: Settings): string[] {
  // Who names the file knows who reads it; a tree without option files is not made yet.
  const known = facts.optionRoots.filter((file) => tree.look(file) !== undefined)
  if (isRead || wishes.optionFile !== undefined || known.length === 0) return []
  return [`${known.join(' and ')} do not include ${optionFile}: add an !includedir line for its folder`]
}

/** Folders that systemd hides from the agent (ProtectHome=, PrivateTmp=). */
const hidden = ['/home', '/root', '/run/user', '/tmp', '/var/tmp']

function directoryObjections(
  { facts, wishes }: Ground,
  { config, dataDirectory, storeDirectory, secureFilePriv, optionFile }: Settings,
): string[] {
  const home = hidden.find((folder) => `${storeDirectory}/`.startsWith(`${folder}/`))
  const differs =
    facts.version !== undefined && wishes.dataDirectory === undefined && dataDirectory !== facts.dataDirectory
  const opened =
    secureFilePriv &&
    [optionFile, config, dataDirectory].find((path) => `${path}/`.startsWith(`${secureFilePriv}/`))
  return [
    ...(opened
      ? [`${opened} is in ${secureFilePriv}, which secure-file-priv opens to users: name another folder`]
      : []),
    ...(home === undefined
      ? []
      : [`${storeDirectory} is in ${home}, which the unit of the agent hides from it: move it`]),
    ...(differs
      ? [
          `the keyring in ${config} belongs to the data directory ${dataDirectory}, and mariadbd says ${facts.dataDirectory}: name the right one with --data-directory`,
        ]
      : []),
  ]
}

function storeTwice({ present }: Ground, { config, keyring, storeDirectory }: Settings): string[] {
  return keyringsOf(present).flatMap((name) => {
    const store = optionOf(present, `keyring ${name}`, 'store')?.replace(/^directory:/, '')
    if (name === keyring || store === undefined || pathIn(config, store) !== storeDirectory) return []
    return [`${config} has the keyring ${name} for ${storeDirectory} already: --keyring ${name}`]
  })
}

function unfitServer({ facts, tree }: Ground, settings: Settings): string[] {
  const { version, pluginFiles, pluginFolder } = facts
  if (version === undefined) return []
  const { listener, pluginContent } = settings
  const plugin = `${pluginOf[listener]}.so`
  if (listener === 'vault' && !vaultPluginFits(version))
    return [
      `MariaDB ${version.text} has no hashicorp_key_management, which came with 10.9: take --listener plugin`,
    ]
  if (pluginContent !== undefined) return []
  if (pluginFiles.includes(plugin)) {
    const content = listener === 'plugin' ? tree.read(join(pluginFolder ?? '/', plugin)) : undefined
    if (content === undefined || isOurPlugin(content)) return []
    return [
      `${plugin} in ${pluginFolder ?? ''} is not Strongroom's, which has the same name: name ours with --plugin-file, and the other one is kept beside it`,
    ]
  }
  return [
    listener === 'vault'
      ? `${plugin} is not in ${pluginFolder ?? 'the plugin folder'}: install the package mariadb-plugin-hashicorp-key-management (Debian), or take --listener plugin`
      : `${plugin} is not in ${pluginFolder ?? 'the plugin folder'}: build it for this server with \`npm run build:plugin\` and name it with --plugin-file, or take --listener vault`,
  ]
}

function ownValue(settings: Settings, name: string): string | undefined {
  const value = serverOptions(settings, undefined)[name]
  return value === true ? 'ON' : value
}

function isPlugin(name: string): boolean {
  return name === 'plugin-load' || name === 'plugin-load-add'
}

function isSame(ours: string, theirs: string | undefined): boolean {
  return normal(ours) === normal(theirs ?? 'ON')
}

function normal(value: string): string {
  const upper = value.toUpperCase()
  if (['1', 'TRUE', 'YES'].includes(upper)) return 'ON'
  return ['0', 'FALSE', 'NO'].includes(upper) ? 'OFF' : upper
}

function at({ file, line }: PresentOption): string {
  return `${file}, line ${line},`
}

/** Without its value where that is a secret. */
function shown({ name, value }: PresentOption): string {
  return value === undefined || name.includes('token') ? name : `${name} = ${value}`
}
