import { get } from 'node:http'
import { z } from 'zod'

export interface VaultReply {
  readonly status: number
  readonly body: string
}

/** Asks as libcurl in the plugin does, one connection a request; undefined: it was closed without an answer. */
export async function askVault(
  url: string,
  headers: Record<string, string>,
): Promise<VaultReply | undefined> {
  return await new Promise((resolve) => {
    get(url, { headers, agent: false }, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(parts).toString() })
      })
    }).on('error', () => {
      resolve(undefined)
    })
  })
}

export interface VaultTarget {
  /** With the keyring's name. */
  readonly url: string
  readonly token: string
}

/** Without a version: the latest. */
export async function askVaultForKey(
  { url, token }: VaultTarget,
  keyId: number,
  version: number | undefined,
): Promise<VaultReply | undefined> {
  const path = `/data/${keyId}${version === undefined ? '' : `?version=${version}`}`
  return await askVault(`${url}${path}`, { 'X-Vault-Token': token })
}

const keyBody = z.object({
  data: z.object({
    data: z.object({ data: z.string().regex(/^([0-9a-f]{32}|[0-9a-f]{64})$/) }),
    metadata: z.object({ version: z.number() }),
  }),
})

/** The key of an answer with status 200. */
export function readKeyBody(body: string): { version: number; bytes: Buffer } {
  const { data } = keyBody.parse(JSON.parse(body))
  return { version: data.metadata.version, bytes: Buffer.from(data.data.data, 'hex') }
}
