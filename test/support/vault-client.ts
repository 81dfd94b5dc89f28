import { get } from 'node:http'

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
  /** With the mount. */
  readonly vaultUrl: string
  readonly token: string
}

/** The body that holds the key (`undefined`: closed or 404). */
export async function keyAnswer(
  { vaultUrl, token }: VaultTarget,
  keyId: number,
  version?: number,
): Promise<string | undefined> {
  const path = `/data/${keyId}${version === undefined ? '' : `?version=${version}`}`
  const reply = await askVault(`${vaultUrl}${path}`, { 'X-Vault-Token': token })
  return reply?.status === 200 ? reply.body : undefined
}

/** `200`, `404` or `closed`: how a request for a key ended. */
export async function keyOutcome(target: VaultTarget, keyId: number, version?: number): Promise<string> {
  const path = `/data/${keyId}${version === undefined ? '' : `?version=${version}`}`
  const reply = await askVault(`${target.vaultUrl}${path}`, { 'X-Vault-Token': target.token })
  return reply === undefined ? 'closed' : String(reply.status)
}
