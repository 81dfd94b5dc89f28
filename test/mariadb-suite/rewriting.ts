import type { ListenerName } from '../support/each-listener.ts'

/** Where a server finds the keys of a key file of MariaDB's tests. */
export interface KeyPlaces {
  readonly listener: ListenerName
  /** Of the keyring that has the name of the key file. */
  placeOf(keyring: string): string
}

const plugins = {
  vault: { name: 'hashicorp_key_management', place: 'vault-url' },
  plugin: { name: 'aws_key_management', place: 'socket' },
} as const satisfies Record<ListenerName, object>

/** Options of file_key_management that ours has no use for: how its file is encrypted, and which cipher it has MariaDB use. */
const ownOptions = /(?:--)?(?:loose-)?file[-_]key[-_]management[-_](?:filekey|encryption-algorithm)=\S*/g
/** A file of the distribution, or one that the test writes, which may have the same name. */
const keyFileOption =
  /file[-_]key[-_]management[-_]filename= *(\$MYSQLTEST_VARDIR\/(?=keys))?\S*?([\w-]+)\.(?:txt|enc)\b/g

/** An option file with this and nothing else: the plugin is loaded and not told of a file. Ours has to be told where its keys are. */
const pluginAlone = /^(--plugin-load-add=\$FILE_KEY_MANAGEMENT_SO)\s*$(?![^])/

/** Plugins that make a key for whatever id they are asked for; the keyring does so, too. */
const inventingPlugin = /^--plugin-load-add=\$(?:EXAMPLE|DEBUG)_KEY_MANAGEMENT_SO$/gm
const inventingOptions = /^--loose-(?:example|debug)[-_]key[-_]management\S*$/gm

/** Of which no test has keys. */
export const inventedKeyring = 'invented'

/** Not in the name of a file that is included. */
const pluginName = /(?<!have_)(?<!xb_)file([-_])key([-_])management(?!_plugin\.inc|\.inc|\.test)/g

/** The text of a file of MariaDB's tests, with the listener's plugin in place of those that are distributed with the tests. */
export function withAgentsPlugin(text: string, places: KeyPlaces): string {
  const { name, place } = plugins[places.listener]
  const hyphened = name.replaceAll('_', '-')
  return oneCombination(text)
    .replaceAll(ownOptions, '')
    .replace(pluginAlone, '$1\n--loose-file-key-management-filename=keys.txt\n')
    .replaceAll(
      inventingPlugin,
      `--plugin-load-add=$${name.toUpperCase()}_SO\n--${hyphened}-${place}=${places.placeOf(inventedKeyring)}`,
    )
    .replaceAll(inventingOptions, `--loose-${hyphened}`)
    .replaceAll(keyFileOption, (_, written: string | undefined, keyFile: string) => {
      const keyring = written === undefined ? keyFile : `written-${keyFile}`
      return `${hyphened}-${place}=${places.placeOf(keyring)}`
    })
    .replaceAll(/(?<!\w)(?:FILE|EXAMPLE)_KEY_MANAGEMENT_SO\b/g, `${name.toUpperCase()}_SO`)
    .replaceAll(pluginName, (_, separator: string) => (separator === '-' ? hyphened : name))
}

/** The two combinations that differ in the cipher that file_key_management is told to use become one. */
function oneCombination(text: string): string {
  const sections = text.split(/^(?=\[\w+\]$)/m)
  const [first = '', second = ''] = sections
  const areCiphers = sections.length === 2 && /^\[(cbc|ctr)\]/.test(first) && /^\[(cbc|ctr)\]/.test(second)
  return areCiphers ? first.replace(/^\[\w+\]/, '[agent]') : text
}
