import { randomBytes } from 'node:crypto'
import { keyPolicy } from './key-policy.ts'
import type { Policy } from './policy.ts'
import { trustPolicy } from './trust-policy.ts'
import type { Account, Wishes } from './wishes.ts'

export type Tags = Readonly<Record<string, string>>

/** What shall be there for one database server. It follows from the wishes alone. */
export interface Plan {
  readonly server: string
  readonly identity: PlannedIdentity
  readonly masterKey: {
    readonly alias: string
    readonly description: string
    readonly tags: Tags
    readonly policy: Policy
  }
  /** undefined: the keyring's keys are wrapped without an encryption context. */
  readonly keyringId: string | undefined
}

/** It has no policies: the key policy names it. */
export type PlannedIdentity = {
  readonly name: string
  readonly path: string
  readonly arn: string
  readonly tags: Tags
} & ({ readonly kind: 'user' } | { readonly kind: 'role'; readonly trustPolicy: Policy })

/** By which what was made for a server is known again. */
export const serverTag = 'strongroom-server'
/** Of a master key: the id of the keyring that its policy names. */
export const keyringTag = 'strongroom-keyring'

export const defaultPath = '/strongroom/'

export interface Given {
  readonly account: Account
  readonly keyringId: string | undefined
  /** Of the user or role, where it is another than ours. */
  readonly path?: string | undefined
}

export function planFor(wishes: Wishes, { account, keyringId, path = defaultPath }: Given): Plan {
  const { server, alias, administrators, access, requiresMfa, mayRewrap } = wishes
  const iam = `arn:${account.partition}:iam::${account.accountId}:`
  const { kind, name } = wishes.identity
  const arn = `${iam}${kind}${path}${name}`
  const tags = { [serverTag]: server }
  const common = { name, path, arn, tags }
  const policyOfKey = { administrators, keyringId, access, requiresMfa, mayRewrap }
  return {
    server,
    identity:
      wishes.identity.kind === 'user'
        ? { kind: 'user', ...common }
        : { kind: 'role', ...common, trustPolicy: trustPolicy(wishes.identity.trusts, requiresMfa) },
    masterKey: {
      alias,
      description: `wraps the data keys of the MariaDB server ${server}`,
      tags: { ...tags, ...(keyringId !== undefined && { [keyringTag]: keyringId }) },
      policy: keyPolicy({ rootArn: `${iam}root`, serverArn: arn, ...policyOfKey }),
    },
    keyringId,
  }
}

/** The keyring's id: the wished one, else the one that a master key was made for, else a new one; undefined: unbound. */
export function keyringIdFor({ keyring }: Wishes, ofMasterKey: string | undefined): string | undefined {
  if (keyring.context === 'none') return undefined
  return keyring.id ?? ofMasterKey ?? randomBytes(16).toString('hex')
}
