import { EventEmitter, once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  type AgentFrame,
  encodeFrame,
  FrameReader,
  type KeyFrame,
  type PluginFrame,
} from '../../src/agent/listeners/plugin-frames.ts'

/** An answer to a request; undefined: the connection ended without one. */
export type PluginAnswer = Exclude<AgentFrame, { type: 'welcome' | 'refused' }> | undefined

export type PluginGreeting = Extract<AgentFrame, { type: 'welcome' | 'refused' }> | undefined

/** Speaks the plugin protocol as `aws_key_management.so` does. Emits `push` (a KeyFrame) and `close`. */
export class PluginClient extends EventEmitter<{ push: [KeyFrame]; close: [] }> {
  readonly socket: Socket
  /** undefined: closed before it came. */
  readonly greeting: Promise<PluginGreeting>
  /** What came by itself, in order. */
  /** A welcome is said again once the keyring has an id. */
  readonly greetings: PluginGreeting[] = []
  readonly pushes: KeyFrame[] = []
  readonly #answers = new Map<number, (answer: PluginAnswer) => void>()
  readonly #greeted = Promise.withResolvers<PluginGreeting>()
  #lastRequest = 0
  #isClosed = false

  private constructor(socket: Socket) {
    super()
    this.socket = socket
    this.greeting = this.#greeted.promise
    const reader = FrameReader.fromAgent()
    socket.on('data', (chunk) => {
      for (const frame of reader.read(chunk)) this.#take(frame)
    })
    socket.on('error', () => undefined)
    socket.once('close', () => {
      this.#isClosed = true
      this.#greeted.resolve(undefined)
      for (const answer of this.#answers.values()) answer(undefined)
      this.#answers.clear()
      this.emit('close')
    })
  }

  /** Connects and says nothing yet. */
  static async open(path: string): Promise<PluginClient> {
    const socket = connect(path)
    await once(socket, 'connect')
    return new PluginClient(socket)
  }

  /** Connects and says hello; throws where it is not made welcome. */
  static async connect(path: string, options: Readonly<Record<string, string>> = {}): Promise<PluginClient> {
    const client = await PluginClient.open(path)
    const greeting = await client.hello(options)
    if (greeting?.type === 'welcome') return client
    client.close()
    throw new Error(`not welcome: ${greeting?.text ?? 'closed'}`)
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  async hello(options: Readonly<Record<string, string>> = {}, version = 1): Promise<PluginGreeting> {
    this.send({ type: 'hello', version, options: new Map(Object.entries(options)) })
    return await this.greeting
  }

  async getKey(keyId: number, version: number): Promise<PluginAnswer> {
    return await this.#ask((request) => ({ type: 'get key', request, keyId, version }))
  }

  async getLatest(keyId: number): Promise<PluginAnswer> {
    return await this.#ask((request) => ({ type: 'get latest', request, keyId }))
  }

  /** 0: every id that has a key. */
  async rotate(keyId: number): Promise<PluginAnswer> {
    return await this.#ask((request) => ({ type: 'rotate', request, keyId }))
  }

  send(frame: PluginFrame): void {
    this.socket.write(encodeFrame(frame))
  }

  close(): void {
    this.socket.destroy()
  }

  async #ask(frame: (request: number) => PluginFrame): Promise<PluginAnswer> {
    if (this.#isClosed) return undefined
    this.#lastRequest += 1
    const request = this.#lastRequest
    return await new Promise((resolve) => {
      this.#answers.set(request, resolve)
      this.send(frame(request))
    })
  }

  #take(frame: AgentFrame): void {
    if (frame.type === 'welcome' || frame.type === 'refused') {
      this.greetings.push(frame)
      this.#greeted.resolve(frame)
    } else if (frame.request === 0 && frame.type === 'key') {
      this.pushes.push(frame)
      this.emit('push', frame)
    } else {
      this.#answers.get(frame.request)?.(frame)
      this.#answers.delete(frame.request)
    }
  }
}
