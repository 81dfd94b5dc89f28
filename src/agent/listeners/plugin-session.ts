import type { Socket } from 'node:net'
import { StrongroomError } from '../../errors.ts'
import type { DataKey } from '../../keyring/data-key.ts'
import type { Log } from '../../keyring/log.ts'
import type { Sparingly } from '../../keyring/sparingly.ts'
import { answerWithin } from './answer-within.ts'
import type { WatchedKeySource } from './key-source.ts'
import {
  type AgentFrame,
  encodeFrame,
  FrameReader,
  type PluginFrame,
  protocolVersion,
} from './plugin-frames.ts'
import { rotationText } from './plugin-rotation.ts'

/** One keyring, as the listener offers it. */
export interface PluginMount {
  readonly name: string
  readonly keys: WatchedKeySource
  readonly agreement: OptionsAgreement
}

export interface OptionsAgreement {
  /** Throws SR_PLUGIN_OPTIONS; else these options count as said until the returned function is called. */
  join(options: ReadonlyMap<string, string>): () => void
}

export interface SessionLog {
  readonly log: Log
  readonly told: Sparingly
}

/** Milliseconds. */
const helloWithin = 2000

/** What a peer doesn't read fills our memory: from the first on its requests wait, at the second it is let go (bytes). */
const unreadBeforePause = 65_536
const unreadAtMost = 2_097_152

/** Requests that wait for something slow. Held keys are answered however many of them there are (rule K3). */
const waitingAtMost = 1000
const rotationsAtMost = 8

/** Serves one connection of MariaDB's plugin, as docs/plugin-protocol.md says. */
export class PluginSession {
  readonly #socket: Socket
  readonly #mount: PluginMount
  readonly #log: SessionLog
  readonly #reader = FrameReader.fromPlugin()
  readonly #beganAt = performance.now()
  readonly #helloTimer: NodeJS.Timeout
  /** Ids of which each new latest key is sent. */
  readonly #followed = new Set<number>()
  readonly #rotating: number[] = []
  #waiting = 0
  #saidId: string | undefined
  #leave: (() => void) | undefined

  constructor(socket: Socket, mount: PluginMount, log: SessionLog) {
    this.#socket = socket
    this.#mount = mount
    this.#log = log
    this.#helloTimer = setTimeout(() => {
      this.end()
    }, helloWithin)
    socket.on('data', (chunk) => {
      this.#receive(chunk)
    })
    socket.on('drain', () => socket.resume())
    // A peer that is gone; 'close' follows.
    socket.on('error', () => undefined)
    socket.once('close', () => {
      clearTimeout(this.#helloTimer)
      this.#leave?.()
    })
  }

  end(): void {
    this.#socket.destroy()
  }

  #receive(chunk: Buffer): void {
    // What was asked together is answered together.
    this.#socket.cork()
    try {
      for (const frame of this.#reader.read(chunk)) {
        if (!this.#socket.writable) return
        this.#handle(frame)
      }
    } catch (error) {
      this.#tellFault(error)
      this.end()
    } finally {
      this.#socket.uncork()
    }
    if (this.#socket.writableLength > unreadBeforePause) this.#socket.pause()
  }

  #handle(frame: PluginFrame): void {
    const isIntroduced = this.#leave !== undefined
    if ((frame.type === 'hello') === isIntroduced) {
      throw new StrongroomError(
        'SR_PLUGIN_PROTOCOL',
        `"${frame.type}" came ${isIntroduced ? 'after' : 'before'} the hello`,
      )
    }
    switch (frame.type) {
      case 'hello':
        this.#welcome(frame)
        break
      case 'get key':
        this.#answerKey({ request: frame.request, keyId: frame.keyId, version: frame.version })
        break
      case 'get latest':
        this.#answerKey({ request: frame.request, keyId: frame.keyId, version: 0 })
        break
      case 'rotate':
        void this.#rotate(frame)
    }
  }

  #welcome({ version, options }: { version: number; options: ReadonlyMap<string, string> }): void {
    clearTimeout(this.#helloTimer)
    const { keys, agreement } = this.#mount
    if (version < 1) {
      this.#refuse(`this agent speaks version ${protocolVersion} of the plugin protocol, not ${version}`)
      return
    }
    try {
      const leaveAgreement = agreement.join(options)
      const unwatch = keys.watch({
        newLatest: (key) => {
          this.#push(key)
        },
        replaced: () => {
          this.end()
        },
      })
      this.#leave = () => {
        unwatch()
        leaveAgreement()
      }
    } catch (error) {
      if (!(error instanceof StrongroomError)) throw error
      this.#tellFault(error)
      this.#refuse(error.message)
      return
    }
    this.#sendWelcome()
  }

  #sendWelcome(): void {
    const { name, keys } = this.#mount
    const { id } = keys
    const said = new Map([['keyring', name], ...(id === undefined ? [] : [['keyring-id', id] as const])])
    this.#saidId = id
    this.#send({ type: 'welcome', version: protocolVersion, options: said })
  }

  #refuse(text: string): void {
    this.#socket.end(encodeFrame({ type: 'refused', text }), () => {
      this.end()
    })
    setTimeout(() => {
      this.end()
    }, helloWithin).unref()
  }

  #answerKey(asked: Asked): void {
    const { keys } = this.#mount
    const { keyId, version } = asked
    const held = version === 0 ? keys.latest(keyId) : keys.held(keyId, version)
    if (held !== undefined) {
      this.#sendKey(held, asked.request)
    } else if (this.#waiting >= waitingAtMost) {
      this.#fail(asked, `${waitingAtMost} other requests of this connection wait already`)
    } else {
      void this.#answerLater(asked, version === 0 ? keys.obtainLatest(keyId) : keys.obtain(keyId, version))
    }
  }

  async #answerLater(asked: Asked, obtained: Promise<DataKey | undefined>): Promise<void> {
    const { keyId, version } = asked
    this.#waiting += 1
    const turn = { isLate: false }
    const deadline = setTimeout(() => {
      turn.isLate = true
      const text = `key ${keyId} is not to be had within ${answerWithin} ms: the KMS or the store is slow`
      if (this.#log.told.isDue(`late ${keyId}`)) this.#log.log.warn({ keyId }, text)
      this.#fail(asked, text, { again: true })
    }, answerWithin)
    try {
      const key = await obtained
      if (turn.isLate) return
      if (key === undefined) this.#send({ ...asked, type: 'absent', text: this.#whyAbsent(asked) })
      else this.#sendKey(key, asked.request)
    } catch (error) {
      const undecrypted = this.#mount.keys.undecrypted(keyId, version === 0 ? undefined : version)
      if (!turn.isLate)
        this.#failWith(error, { ...asked, version: undecrypted ?? version }, undecrypted !== undefined)
    } finally {
      clearTimeout(deadline)
      this.#waiting -= 1
    }
  }

  #whyAbsent({ keyId, version }: Asked): string {
    if (version > 0)
      return `key ${keyId}, version ${version} was never issued in the keyring ${this.#mount.name}`
    return `key ${keyId} has no version, and none is made: ${this.#mount.keys.whyNotMade(keyId) ?? 'ask again'}`
  }

  async #rotate({ request, keyId }: { request: number; keyId: number }): Promise<void> {
    const asked = { request, keyId, version: 0 }
    if (this.#rotating.length >= rotationsAtMost) {
      this.#fail(asked, `${rotationsAtMost} rotations of this connection are under way already`)
      return
    }
    this.#rotating.push(keyId)
    try {
      const { isDone, text } = await rotationText(this.#mount.keys, keyId)
      if (isDone) this.#send({ type: 'rotated', request, keyId, text })
      else this.#fail(asked, text)
    } catch (error) {
      this.#failWith(error, asked)
    } finally {
      this.#rotating.splice(this.#rotating.indexOf(keyId), 1)
    }
  }

  #push(key: DataKey): void {
    const isRotating = this.#rotating.includes(key.keyId) || this.#rotating.includes(0)
    if (isRotating || this.#followed.has(key.keyId)) this.#sendKey(key, 0)
  }

  #sendKey(key: DataKey, request: number): void {
    const { keyId, version } = key
    const { keys } = this.#mount
    this.#followed.add(keyId)
    // A keyring has an id from its first key on.
    if (this.#saidId !== keys.id) this.#sendWelcome()
    key.lend((bytes) => {
      this.#send({
        ...{ type: 'key', request, keyId, version, bytes },
        isLatest: keys.latest(keyId) === key,
        isGenerated: (keys.madeAt(key) ?? -Infinity) >= this.#beganAt,
      })
    })
  }

  /** A StrongroomError is one that the keyring has told the operator of. */
  #failWith(error: unknown, asked: Asked, undecrypted = false): void {
    if (!(error instanceof StrongroomError)) {
      this.#log.log.error({ err: error }, 'cannot answer a request for a key')
      this.end()
    } else {
      this.#fail(asked, error.message, { undecrypted })
    }
  }

  #fail(asked: Asked, text: string, how: { again?: boolean; undecrypted?: boolean } = {}): void {
    const { request, keyId, version } = asked
    const { again = false, undecrypted = false } = how
    this.#send({
      type: 'failed',
      request,
      keyId,
      version,
      again,
      undecrypted,
      text: text.slice(0, textAtMost),
    })
  }

  #send(frame: AgentFrame): void {
    if (!this.#socket.writable) return
    const bytes = encodeFrame(frame)
    this.#socket.write(bytes, () => bytes.fill(0))
    if (this.#socket.writableLength > unreadAtMost) {
      this.#tell('unread', 'a client of the plugin listener does not read its answers')
      this.end()
    }
  }

  #tellFault(error: unknown): void {
    if (error instanceof StrongroomError) this.#tell(error.code, error.message, error.code)
    else this.#log.log.error({ err: error }, 'cannot serve a client of the plugin listener')
  }

  /** A plugin that is refused comes again and again. */
  #tell(what: string, text: string, code?: string): void {
    const { name } = this.#mount
    if (this.#log.told.isDue(`${what} ${name} ${text}`)) this.#log.log.warn({ keyring: name, code }, text)
  }
}

/** Characters. A failure is told in full in the agent's log. */
const textAtMost = 1000

interface Asked {
  readonly request: number
  readonly keyId: number
  /** 0: the latest. */
  readonly version: number
}
