import { maxKeyId, maxVersion } from '../../keyring/data-key.ts'

export type VaultRequest =
  | { readonly kind: 'tune'; readonly mount: string }
  | {
      readonly kind: 'key'
      readonly mount: string
      readonly keyId: number
      readonly version: number | undefined
    }

const tunePath = /^\/v1\/sys\/mounts\/([A-Za-z0-9_-]+)\/tune$/
const keyPath = /^\/v1\/([A-Za-z0-9_-]+)\/data\/([1-9]\d{0,9})(?:\?version=([1-9]\d{0,9}))?$/

/** As a proxy is asked (RFC 9112, 3.2.2). */
const absoluteForm = /^https?:\/\/[^/]+\//

/** Reads the paths that MariaDB's `hashicorp_key_management` asks for; undefined for any other. */
export function parseVaultPath(target: string): VaultRequest | undefined {
  const path = target.startsWith('/') ? target : target.replace(absoluteForm, '/')
  const key = keyPath.exec(path)
  if (key?.[1] !== undefined) {
    const keyId = Number(key[2])
    const version = key[3] === undefined ? undefined : Number(key[3])
    if (keyId > maxKeyId || (version ?? 1) > maxVersion) return undefined
    return { kind: 'key', mount: key[1], keyId, version }
  }
  const mount = tunePath.exec(path)?.[1]
  return mount === undefined ? undefined : { kind: 'tune', mount }
}
