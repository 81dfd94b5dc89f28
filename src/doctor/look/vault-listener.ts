import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { messageOf, systemCode } from '../../errors.ts'
import type { VaultListenerConfig } from '../../agent/config.ts'
import { formatAddress } from '../../agent/listen-address.ts'
import { type Looked, seen, unseen } from '../looked.ts'

/** How a Vault listener answers who has no token. */
export interface VaultListenerFacts {
  readonly url: string
  /** HTTP status of the answer; its body, which could be a key, is not read. undefined: it hung up, as ours does. */
  readonly status: number | undefined
}

/** Milliseconds, from the first byte to the last header. */
const usualPatience = 5000

export async function lookAtVaultListener(
  { address, tls }: VaultListenerConfig,
  keyring: string,
  patience = usualPatience,
): Promise<Looked<VaultListenerFacts>> {
  const url = `${tls === undefined ? 'http' : 'https'}://${formatAddress(address)}/v1/${keyring}/data/1`
  try {
    return seen({ url, status: await statusOf(url, patience) })
  } catch (error) {
    return unseen(`nobody answers at ${url} (${messageOf(error)})`)
  }
}

function statusOf(url: string, patience: number): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    // Who it is doesn't matter: nothing is sent, and nothing is read.
    const options = { agent: false, signal: AbortSignal.timeout(patience), rejectUnauthorized: false }
    const asked = url.startsWith('https') ? httpsRequest(url, options) : httpRequest(url, options)
    asked
      .once('response', (response) => {
        resolve(response.statusCode ?? 0)
        response.destroy()
      })
      .once('error', (error) => {
        // Whoever can't be connected to has another code.
        if (systemCode(error) === 'ECONNRESET') resolve(undefined)
        else reject(error)
      })
      .end()
  })
}
