import type { DatabaseSync } from 'node:sqlite'
import { z } from 'zod'
import { oidcProviderArn } from '../arn.ts'
import type { IdentityTags } from './identity-tags.ts'
import { NamedIndex } from './named-index.ts'
import { readTexts, writeTexts } from './texts-column.ts'
import { uniqueId } from './unique-id.ts'

/** Somebody else's service that says who people and programs are: an OpenID Connect provider. */
export interface OidcProvider extends OidcProviderAttributes {
  /** Ours alone, never shown and never used again. */
  readonly providerId: string
  /** Its URL without `https://`: `HOST/PATH`, as the issuer writes itself in its tokens. */
  readonly name: string
  readonly arn: string
  readonly createdAt: Date
}

/** What can be changed about a provider. */
export interface OidcProviderAttributes {
  /** Whom a token has to be for. */
  readonly clientIds: readonly string[]
  /** SHA-1 of certificates, in lower case, that are trusted for this provider beside the authorities that are. */
  readonly thumbprints: readonly string[]
  readonly tags: ReadonlyMap<string, string>
}

const texts = z.array(z.string())
const providerRow = z.object({
  provider_id: z.string(),
  name: z.string(),
  client_ids: z.string(),
  thumbprints: z.string(),
  tags: z.string(),
  created_at: z.number(),
})

/** The OpenID Connect providers of the account, all in memory. A change makes a new `OidcProvider`. */
export class OidcProviders {
  readonly #database: DatabaseSync
  readonly #accountId: string
  readonly #identityTags: IdentityTags
  readonly #index = new NamedIndex<OidcProvider>(
    ({ providerId }) => providerId,
    ({ name }) => name,
  )

  constructor(database: DatabaseSync, accountId: string, identityTags: IdentityTags) {
    this.#database = database
    this.#accountId = accountId
    this.#identityTags = identityTags
    for (const row of database.prepare('SELECT * FROM oidc_providers').iterate())
      this.#index.put(this.#read(row))
  }

  get count(): number {
    return this.#index.size
  }

  /** There must be no provider of that name: names differ in more than case, as condition keys do. */
  create(name: string, attributes: OidcProviderAttributes): OidcProvider {
    const providerId = uniqueId('OIDC')
    this.#identityTags.change([providerId], () =>
      this.#database
        .prepare(
          'INSERT INTO oidc_providers (provider_id, name, client_ids, thumbprints, tags, created_at) ' +
            'VALUES (?, ?, ?, ?, ?, ?)',
        )
        .run(providerId, name, ...columns(attributes), Date.now()),
    )
    return this.#reload(providerId)
  }

  update(provider: OidcProvider, changes: Partial<OidcProviderAttributes>): void {
    const { providerId } = provider
    this.#identityTags.change([providerId], () =>
      this.#database
        .prepare('UPDATE oidc_providers SET client_ids = ?, thumbprints = ?, tags = ? WHERE provider_id = ?')
        .run(...columns({ ...provider, ...changes }), providerId),
    )
    this.#reload(providerId)
  }

  delete(provider: OidcProvider): void {
    const { providerId } = provider
    this.#identityTags.change([providerId], () =>
      this.#database.prepare('DELETE FROM oidc_providers WHERE provider_id = ?').run(providerId),
    )
    this.#index.delete(provider)
  }

  /** In whatever case. */
  named(name: string): OidcProvider | undefined {
    return this.#index.named(name)
  }

  /** The provider that has exactly this ARN. */
  withArn(arn: string): OidcProvider | undefined {
    const provider = this.named(arn.slice(oidcProviderArn(this.#accountId, '').length))
    return provider?.arn === arn ? provider : undefined
  }

  /** The provider whose tokens have exactly this `iss`. */
  withIssuer(issuer: string): OidcProvider | undefined {
    const provider = issuer.startsWith('https://') ? this.named(issuer.slice('https://'.length)) : undefined
    return provider !== undefined && issuerOf(provider) === issuer ? provider : undefined
  }

  /** In no order. */
  all(): OidcProvider[] {
    return this.#index.all()
  }

  #reload(providerId: string): OidcProvider {
    const found = this.#database.prepare('SELECT * FROM oidc_providers WHERE provider_id = ?').get(providerId)
    const provider = this.#read(found)
    this.#index.put(provider)
    return provider
  }

  #read(found: unknown): OidcProvider {
    const row = providerRow.parse(found)
    return {
      providerId: row.provider_id,
      name: row.name,
      arn: oidcProviderArn(this.#accountId, row.name),
      clientIds: texts.parse(JSON.parse(row.client_ids)),
      thumbprints: texts.parse(JSON.parse(row.thumbprints)),
      tags: readTexts(row.tags),
      createdAt: new Date(row.created_at),
    }
  }
}

/** What its tokens have as `iss`. */
export function issuerOf({ name }: Pick<OidcProvider, 'name'>): string {
  return `https://${name}`
}

function columns({ clientIds, thumbprints, tags }: OidcProviderAttributes) {
  return [JSON.stringify(clientIds), JSON.stringify(thumbprints), writeTexts(tags)] as const
}
