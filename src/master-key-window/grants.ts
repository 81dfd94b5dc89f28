import { type GrantListEntry, paginateListGrants } from '@aws-sdk/client-kms'
import { endOfGrant } from './grant-name.ts'
import type { Reach } from './reach.ts'

/** A window's grant that is still there. */
export interface WindowGrant {
  readonly keyArn: string
  readonly principal: string
  readonly name: string
  readonly endsAt: number
}

/** The grants of a master key, as far as `wanted` wants them. */
export async function listGrants(
  reach: Reach,
  keyArn: string,
  wanted: (grant: GrantListEntry) => boolean,
): Promise<GrantListEntry[]> {
  return await reach.do(`list the grants of master key ${keyArn}`, async ({ kms: client }) => {
    const found: GrantListEntry[] = []
    for await (const { Grants = [] } of paginateListGrants({ client }, { KeyId: keyArn, Limit: 100 }))
      found.push(...Grants.filter(wanted))
    return found
  })
}

/** The grants that windows have given, on whatever host they were opened. */
export async function windowGrants(reach: Reach, keyArn: string): Promise<WindowGrant[]> {
  const grants = await listGrants(reach, keyArn, ({ Name }) => endOfGrant(Name) !== undefined)
  return grants.flatMap(({ Name = '', GranteePrincipal: principal = '' }) => {
    const endsAt = endOfGrant(Name)
    return endsAt === undefined ? [] : [{ keyArn, principal, name: Name, endsAt }]
  })
}
