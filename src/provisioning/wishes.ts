/** What an administrator asks for. */
export interface Wishes {
  /** Of the database server. */
  readonly server: string
  readonly identity: WantedIdentity
  /** `alias/NAME`. */
  readonly alias: string
  readonly keyring: WantedKeyring
  /** ARNs of users and roles; none: whom IAM lets. */
  readonly administrators: readonly string[]
  /** `grant`: the server may use the master key only while `strongroom master-key window --grant` lets it. */
  readonly access: 'standing' | 'grant'
  readonly requiresMfa: boolean
  readonly mayRewrap: boolean
}

export type WantedIdentity =
  | { readonly kind: 'user'; readonly name: string }
  /** `trusts`: ARNs of those who may assume it, or `ec2`. */
  | { readonly kind: 'role'; readonly name: string; readonly trusts: readonly string[] }

export type WantedKeyring =
  /** `id` undefined: the one that the master key's tags say, else a new one. */
  | { readonly context: 'bound'; readonly id: string | undefined }
  /** The keys of MariaDB's own AWS plugin: wrapped without an encryption context. */
  | { readonly context: 'none' }

export interface Account {
  readonly accountId: string
  /** `aws`, `aws-cn`, `aws-us-gov`. */
  readonly partition: string
}
