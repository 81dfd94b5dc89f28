import { formatAddress } from '../../agent/listen-address.ts'
import type { Check } from '../check.ts'
import type { Examined } from '../examined.ts'
import { type Finding, notChecked } from '../finding.ts'
import type { OptionFacts } from '../look/option-files.ts'
import { lastOf } from '../look/option-files.ts'
import { configuredPlugin, keyPlugins } from '../look/plugin-load.ts'
import type { KeyPlugin, ServerFacts } from '../look/server.ts'
import { given, isSeen } from '../looked.ts'

/** Which plugin the server has its keys from, and how it is bound to it. */
export const activePlugin: Check = {
  about: "the server's key plugin",
  run: ({ server, options }) =>
    isSeen(server)
      ? runningPlugin(server.seen)
      : given(options, (said) => [...configured(said), notChecked(server.unseen)]),
}

function runningPlugin({ keyPlugins: all, socket }: ServerFacts): Finding[] {
  const active = all.filter(({ isActive }) => isActive)
  const ours = active.find(isOurs)
  if (ours === undefined) {
    const others = active.map(({ name, author }) => `${name} of ${author}`).join(', ')
    return [
      {
        code: 'SRD_SERVER_WITHOUT_AGENT',
        where: `the server at ${socket}`,
        what: `has none of its keys from the agent: ${others === '' ? 'no key plugin is active, so nothing is encrypted' : `its key plugin is ${others}`}`,
        remedy: 'set the options that `strongroom mariadb configure` writes, and restart it',
      },
    ]
  }
  return ours.loadOption === 'FORCE_PLUS_PERMANENT' ? [] : [notForced(ours.name, ours.loadOption)]
}

/** The AWS plugin of MariaDB's own has the same name. */
function isOurs({ name, author }: KeyPlugin): boolean {
  return name === 'hashicorp_key_management' || (name === 'aws_key_management' && author === 'Strongroom')
}

function configured(options: OptionFacts): Finding[] {
  const plugin = configuredPlugin(options)
  if (plugin === undefined)
    return [
      {
        code: 'SRD_SERVER_WITHOUT_AGENT',
        where: "MariaDB's option files",
        what: `load neither ${keyPlugins.join(' nor ')}: a server that is started so has no keys`,
        remedy: 'set the options that `strongroom mariadb configure` writes',
      },
    ]
  const value = (lastOf(options, plugin) ?? 'ON').toUpperCase()
  return value === 'FORCE_PLUS_PERMANENT' ? [] : [notForced(plugin, value)]
}

function notForced(plugin: string, value: string): Finding {
  return {
    code: 'SRD_PLUGIN_NOT_FORCED',
    where: `the plugin ${plugin}`,
    what: `is loaded with ${value}: without its keys the server can start all the same and write plaintext, or the plugin can be uninstalled while it runs`,
    remedy: `set ${plugin.replaceAll('_', '-')} = FORCE_PLUS_PERMANENT in [mariadbd], and restart MariaDB`,
  }
}

/** After an upgrade of the server a plugin may be of another interface, or its package gone: the next start would fail. */
export const pluginLoads: Check = {
  about: 'whether the installed server loads its key plugin',
  run: ({ pluginLoad, serverMemory }) => [
    ...given(pluginLoad, ({ plugin, complaint }) =>
      complaint === undefined
        ? []
        : [
            {
              code: 'SRD_PLUGIN_UNLOADABLE',
              where: plugin ?? '',
              what: `can not be loaded by the mariadbd that is installed: ${complaint}`,
              remedy:
                "install the plugin's package for this release of MariaDB, before the server is restarted",
            },
          ],
    ),
    ...replacedPlugins(serverMemory),
  ],
}

function replacedPlugins(serverMemory: Examined['serverMemory']): Finding[] {
  if (!isSeen(serverMemory)) return []
  return serverMemory.seen.replacedLibraries
    .filter((file) => keyPlugins.some((plugin) => file.endsWith(`/${plugin}.so`)))
    .map((file) => ({
      code: 'SRD_RESTART_PENDING',
      where: file,
      what: 'was replaced since the server was started, which runs with the former one',
      remedy: 'restart MariaDB when it suits',
    }))
}

/** The server's options name the place of the agent and the keyring; another place is another's keys, or nobody's. */
export const pluginPlace: Check = {
  about: 'where the server asks for its keys',
  run: ({ options, config, keyring }) =>
    given(options, (said) => {
      if (!isSeen(config) || !isSeen(keyring))
        return [notChecked('the configuration of the agent can not be read')]
      const plugin = configuredPlugin(said)
      if (plugin === undefined) return []
      const option = plugin === 'hashicorp_key_management' ? `${plugin}_vault_url` : `${plugin}_socket`
      const value = lastOf(said, option) ?? (plugin === 'aws_key_management' ? usualSocket : undefined)
      const expected = expectedPlace(plugin, { config: config.seen, name: keyring.seen.name })
      if (value !== undefined && expected !== undefined && samePlace(value, expected)) return []
      return [
        {
          code: 'SRD_SERVER_ELSEWHERE',
          where: `${option} = ${value ?? 'not set'}`,
          what:
            expected === undefined
              ? `and the agent's configuration has no such listener`
              : `is not where the agent serves keyring ${keyring.seen.name}: ${expected}`,
          remedy: `make both the same: [vault-listener] or [plugin-listener] in agent.conf, and ${option.replaceAll('_', '-')} in [mariadbd]`,
        },
      ]
    }),
}

const usualSocket = '/run/strongroom/mariadb/agent.sock'

function expectedPlace(
  plugin: (typeof keyPlugins)[number],
  { config, name }: { config: Extract<Examined['config'], { seen: unknown }>['seen']; name: string },
): string | undefined {
  if (plugin === 'aws_key_management')
    return config.pluginListener && `${config.pluginListener.directory}/${name}/agent.sock`
  const { vaultListener } = config
  if (vaultListener === undefined) return undefined
  const scheme = vaultListener.tls === undefined ? 'http' : 'https'
  return `${scheme}://${formatAddress(vaultListener.address)}/v1/${name}`
}

/** A host may have a name, or listen at every address; then port and path tell. */
function samePlace(said: string, expected: string): boolean {
  if (said.replace(/\/+$/, '') === expected) return true
  const [a, b] = [URL.parse(said), URL.parse(expected)]
  if (a === null || b === null) return false
  const isLoose = !/^[\d.]+$|^\[/.test(a.hostname) || ['0.0.0.0', '[::]'].includes(b.hostname)
  const path = (url: URL) => url.pathname.replace(/\/+$/, '')
  return isLoose && a.protocol === b.protocol && a.port === b.port && path(a) === path(b)
}
