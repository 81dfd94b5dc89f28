import { messageOf } from '../../errors.ts'
import { findProgram } from '../../mariadb/programs.ts'
import { type Looked, seen, unseen } from '../looked.ts'
import { anybody, runAs } from './access.ts'
import { allOf, lastOf, type OptionFacts } from './option-files.ts'

/** Whether the installed server can load the key plugin that its option files name. */
export interface PluginLoad {
  /** File name of the plugin; undefined: the option files name none of ours. */
  readonly plugin: string | undefined
  /** Why not, in the server's words. */
  readonly complaint: string | undefined
}

/** The two plugins that can ask the agent. */
export const keyPlugins = ['hashicorp_key_management', 'aws_key_management'] as const
export type KeyPluginName = (typeof keyPlugins)[number]

/** The key plugin that the server will load. */
export function configuredPlugin(options: OptionFacts): KeyPluginName | undefined {
  const loaded = [...allOf(options, 'plugin_load_add'), ...allOf(options, 'plugin_load')].flatMap((value) =>
    value.split(';'),
  )
  const names = loaded.map((entry) => entry.replace(/^.*=/, '').replace(/\.so$/, '').trim())
  return keyPlugins.find((plugin) => names.includes(plugin))
}

/**
 * Has the server that is installed print its help with the plugin: for that it loads it, checks its interface and starts
 * nothing. A server that was upgraded refuses a plugin built for another interface, and so does one that lacks a library.
 * What is loaded runs, and whoever took over the server can say what that is: so it runs as nobody, never as root.
 */
export function lookAtPluginLoad(options: OptionFacts): Looked<PluginLoad> {
  const plugin = configuredPlugin(options)
  if (plugin === undefined) return seen({ plugin, complaint: undefined })
  const file = `${plugin}.so`
  const folder = lastOf(options, 'plugin_dir')
  try {
    const { stdout, stderr, error } = runAs(
      anybody,
      findProgram('mariadbd'),
      '--no-defaults',
      '--verbose',
      '--help',
      ...(folder === undefined ? [] : [`--plugin-dir=${folder}`]),
      `--plugin-load-add=${file}`,
    )
    if (error !== undefined) return unseen(`mariadbd does not print its help (${error.message})`)
    const isKnown = stdout.includes(`--${plugin.replaceAll('_', '-')}[=`)
    const complaint = isKnown ? undefined : complaintIn(stderr)
    return complaint !== undefined && /\berrno: 13\b|Permission denied/.test(complaint)
      ? unseen(`not everybody may read the plugin, and it is loaded as nobody here (${complaint})`)
      : seen({ plugin: file, complaint })
  } catch (error) {
    return unseen(messageOf(error))
  }
}

function complaintIn(output: string): string {
  const line = output.split('\n').find((text) => text.includes('[ERROR]'))
  return line?.replace(/^.*\[ERROR\] /, '') ?? 'it does not say why'
}
