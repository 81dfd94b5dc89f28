import { Agent, request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { SaxesParser } from 'saxes'
import { rawRequest } from './raw-requests.ts'
import { Random } from './random.ts'
import { type FuzzedRequest, type Known, signedRequest, type Target } from './signed-requests.ts'

export interface FuzzOptions extends Target {
  readonly seed: number
  readonly known: Known
  /** Ends the run when it says so; it is told how many requests there were. */
  readonly until: (requests: number) => boolean
}

/** How many answers there were of each kind: `Encrypt 200`, `GetUser NoSuchEntity`, `raw 400`. */
export type Tally = Map<string, number>

const atOnce = 8
const maxBodyBytes = 1024 * 1024

/**
 * Sends fuzzed requests, most of them well signed, until it is told to end. Throws at the first answer that no request
 * may get (a 5xx, a body that can't be read, none at all), and says the seed and the number that make the request again.
 */
export async function fuzz(options: FuzzOptions): Promise<Tally> {
  const tally: Tally = new Map()
  const agent = new Agent({ keepAlive: true, maxSockets: atOnce })
  let sent = 0
  const worker = async (): Promise<void> => {
    while (!options.until(sent)) {
      const number = sent++
      await one(number, { ...options, agent, tally })
    }
  }
  try {
    await Promise.all(Array.from({ length: atOnce }, worker))
  } finally {
    agent.destroy()
  }
  return tally
}

async function one(number: number, run: FuzzOptions & { agent: Agent; tally: Tally }): Promise<void> {
  const random = new Random(run.seed * 1_000_003 + number)
  let what = 'raw bytes'
  try {
    if (random.chance(10)) {
      count(run.tally, `raw ${await sendRaw(run.url, rawRequest(random))}`)
      return
    }
    const request = await signedRequest(random, run.known, run)
    what = `${request.operation}: ${request.body.toString('utf8').slice(0, 2000)}`
    const { status, body } = await send(request, run)
    count(run.tally, `${request.operation} ${status === 200 ? '200' : checked(status, body)}`)
  } catch (error) {
    throw new Error(`seed ${run.seed}, request ${number} (${what})`, { cause: error })
  }
}

function count(tally: Tally, name: string): void {
  tally.set(name, (tally.get(name) ?? 0) + 1)
}

async function send(
  request: FuzzedRequest,
  { url, agent }: { url: string; agent: Agent },
): Promise<{ status: number; body: string }> {
  const { hostname, port } = new URL(url)
  const { method, target, headers, body } = request
  // Node.js sends a DELETE's body without its length, where the server sees it as the next request.
  const withLength = { ...headers, 'content-length': body.length }
  const sent = httpRequest({ agent, hostname, port, method, path: target, headers: withLength })
  return await new Promise((resolve, reject) => {
    sent.on('error', (error) => {
      // The server does not read on after the bytes that are too many, and the reset may come before its answer.
      if (body.length > maxBodyBytes) resolve({ status: 413, body: '' })
      else reject(error)
    })
    sent.on('response', (response) => {
      const status = response.statusCode ?? 0
      text(response).then((received) => {
        resolve({ status, body: received })
      }, reject)
    })
    sent.end(body)
  })
}

/** The error's code. */
function checked(status: number, body: string): string {
  if (status >= 500) throw new Error(`answered with ${status}: ${body}`)
  if (body === '') return String(status)
  if (body.startsWith('<')) return xmlCode(body)
  const error: unknown = JSON.parse(body)
  if (typeof error !== 'object' || error === null || !('__type' in error)) throw new Error(`answered ${body}`)
  return String(error.__type)
}

function xmlCode(xml: string): string {
  const parser = new SaxesParser()
  parser.on('error', (error) => {
    throw error
  })
  parser.write(xml).close()
  return /<Code>(\w+)<\/Code>/.exec(xml)?.[1] ?? 'no code'
}

/** The status of the answer; `none` where the connection ended without one, which bytes that are no HTTP may get. */
async function sendRaw(url: string, bytes: Buffer): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = connect({ host: hostname, port: Number(port) })
  socket.on('error', () => undefined)
  socket.setTimeout(300, () => socket.destroy())
  socket.end(bytes)
  let received = ''
  try {
    for await (const chunk of socket) received += String(chunk)
  } catch {
    // A reset is an answer too, to bytes that go on after the server has refused them.
  }
  const status = /^HTTP\/1\.1 (\d{3})/.exec(received)?.[1]
  if (status?.startsWith('5') === true && status !== '505') throw new Error(`answered ${received}`)
  return status ?? 'none'
}
