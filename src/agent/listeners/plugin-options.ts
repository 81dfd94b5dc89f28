import { StrongroomError } from '../../errors.ts'
import type { Place } from '../../ini-file.ts'
import type { Log } from '../../keyring/log.ts'
import { regionOf } from '../../keyring/master-keys/region.ts'
import {
  defaultKeySpec,
  masterKeyFields,
  masterKeySchema,
  type MasterKeySettings,
  settingsFrom,
} from '../master-key-settings.ts'
import type { OptionsAgreement } from './plugin-session.ts'

export interface PluginOptionsConfig {
  /** Where `said` stands. */
  readonly place: Place
  /** What agent.conf says. */
  readonly said: MasterKeySettings
  /** Whether what agent.conf leaves open is taken from the plugin. */
  readonly acceptsOptions: boolean
}

type OptionName = keyof typeof masterKeyFields

type Texts = Readonly<Partial<Record<OptionName, string>>>

/** A change makes a new client of the KMS, and looks after what waits for it: no client may have that done ever again. */
const changesAtMost = 10
/** Milliseconds. */
const changesWithin = 10_000

/**
 * Holds what MariaDB's options say against what agent.conf says: a contradiction is refused. What agent.conf leaves open
 * and accepts takes effect, and stays in effect until a later connection says something else.
 */
export class PluginOptions implements OptionsAgreement {
  readonly #config: PluginOptionsConfig
  readonly #said: Texts
  readonly #use: (settings: MasterKeySettings) => void
  readonly #log: Log
  readonly #now: () => number
  /** Of the connections that are open. */
  readonly #open = new Set<Texts>()
  #accepted: Texts = {}
  #heard = false
  /** When the last changes were, the oldest first. */
  #changes: readonly number[] = []

  /** `use` is called with what is in effect once something was heard, and whenever that has changed. */
  constructor(
    config: PluginOptionsConfig,
    log: Log,
    use: (settings: MasterKeySettings) => void,
    now: () => number = () => performance.now(),
  ) {
    this.#config = config
    this.#now = now
    this.#said = textsOf(config.said)
    this.#log = log
    this.#use = use
  }

  /** Whether the plugin is yet to say what agent.conf leaves to it. */
  get waits(): boolean {
    return this.#config.acceptsOptions && !this.#heard
  }

  /** Throws SR_PLUGIN_OPTIONS; else these options count as said until the returned function is called. */
  join(options: ReadonlyMap<string, string>): () => void {
    const given = parse(options)
    for (const [name, value] of entriesOf(given)) this.#requireAgreement(name, value)
    if (this.#config.acceptsOptions) this.#accept(given)
    this.#heard = true
    this.#open.add(given)
    return () => this.#open.delete(given)
  }

  #accept(given: Texts): void {
    const isNews = ([name, value]: readonly [OptionName, string]) =>
      this.#said[name] === undefined && this.#accepted[name] !== value
    const news = entriesOf(given).filter(isNews)
    if (news.length === 0 && this.#heard) return
    this.#countChange()
    const accepted = { ...this.#accepted, ...Object.fromEntries(news) }
    this.#use(settingsFrom(masterKeySchema.parse({ ...accepted, ...this.#said })))
    this.#accepted = accepted
    if (news.length === 0) return
    const list = news.map(([name, value]) => `${name} = ${value}`).join(', ')
    this.#log.info({}, `takes from MariaDB's options: ${list}`)
  }

  #countChange(): void {
    const now = this.#now()
    const recent = this.#changes.filter((at) => now - at < changesWithin)
    if (recent.length >= changesAtMost) {
      throw new StrongroomError(
        'SR_PLUGIN_OPTIONS',
        `what MariaDB's options say has changed ${changesAtMost} times within ${changesWithin} ms: see who connects, and start the server again in a moment`,
      )
    }
    this.#changes = [...recent, now]
  }

  #requireAgreement(name: OptionName, value: string): void {
    const { acceptsOptions, place } = this.#config
    const section = `[${place.section}] in ${place.file}`
    const said = this.#said[name]
    if (said !== undefined) {
      if (isSame(name, value, said)) return
      throw contradiction(name, value, `${section} says ${name} = ${said}: make both the same, or remove one`)
    }
    if (acceptsOptions) {
      for (const others of this.#open) {
        const other = others[name]
        if (other === undefined || isSame(name, value, other)) continue
        throw contradiction(
          name,
          value,
          `another server that is connected to this keyring has ${variableOf(name)} = ${other}: make both the same, or give each its own keyring`,
        )
      }
    } else if (name !== 'request-timeout') {
      const { value: known, words } = this.#inEffect(name, section)
      if (known !== undefined && isSame(name, value, known)) return
      throw contradiction(
        name,
        value,
        `${section} does not say ${name}, so ${words}: say the same there, or accept-options-from = plugin`,
      )
    }
  }

  /** What an option is that agent.conf doesn't say. */
  #inEffect(name: OptionName, section: string): { value?: string; words: string } {
    const { masterKeyId } = this.#config.said
    switch (name) {
      case 'key-spec':
        return { value: defaultKeySpec, words: `it is ${defaultKeySpec}` }
      case 'region': {
        const value = regionOf(masterKeyId)
        return value === undefined
          ? { words: "it is the one that AWS's SDK finds for the agent" }
          : { value, words: `it is ${value}, that of master-key-id in ${section}` }
      }
      case 'endpoint-url':
        return { words: "it is Amazon's own" }
      default:
        return { words: 'there is none' }
    }
  }
}

function variableOf(name: OptionName): string {
  return `aws_key_management_${name.replaceAll('-', '_')}`
}

/** Validated as those of agent.conf are. */
function parse(options: ReadonlyMap<string, string>): Texts {
  const result = masterKeySchema.safeParse(Object.fromEntries(options))
  if (result.success) return textsOf(settingsFrom(result.data))
  const [issue] = result.error.issues
  const name = String(issue?.path[0])
  // The password of a URL is not for the log.
  const shown = JSON.stringify(options.get(name)?.replace(/\/\/.*@/s, '//…@'))
  throw new StrongroomError(
    'SR_PLUGIN_OPTIONS',
    `aws_key_management_${name.replaceAll('-', '_')} = ${shown} in MariaDB's options: ${issue?.message ?? 'is wrong'}`,
  )
}

function textsOf(settings: MasterKeySettings): Texts {
  return {
    ...(settings.masterKeyId === undefined ? {} : { 'master-key-id': settings.masterKeyId }),
    ...(settings.keySpec === undefined ? {} : { 'key-spec': settings.keySpec }),
    ...(settings.region === undefined ? {} : { region: settings.region }),
    ...(settings.endpointUrl === undefined ? {} : { 'endpoint-url': settings.endpointUrl }),
    ...(settings.requestTimeout === undefined ? {} : { 'request-timeout': String(settings.requestTimeout) }),
  }
}

function entriesOf(texts: Texts): [OptionName, string][] {
  const names: readonly OptionName[] = [
    'master-key-id',
    'key-spec',
    'region',
    'endpoint-url',
    'request-timeout',
  ]
  return names.flatMap((name) => {
    const value = texts[name]
    return value === undefined ? [] : [[name, value]]
  })
}

function isSame(name: OptionName, one: string, other: string): boolean {
  return name === 'endpoint-url' ? new URL(one).href === new URL(other).href : one === other
}

function contradiction(name: OptionName, value: string, against: string): StrongroomError {
  return new StrongroomError(
    'SR_PLUGIN_OPTIONS',
    `MariaDB's options say ${variableOf(name)} = ${value}, but ${against}`,
  )
}
