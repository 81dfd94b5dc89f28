import { z } from 'zod'
import type { PolicyDocument } from './document.ts'
import type { PrincipalName } from './principals.ts'

/*
 * A policy names users and roles by ARN and means those who have the ARN when it is put. Their unique ids are kept with
 * it: who is made later with the same name is someone else, for whom the policy says nothing.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
 */

/** The unique ids of the users, roles and sessions of roles that a policy names, by their ARNs. */
export type PrincipalIds = ReadonlyMap<string, string>

/** Finds who there is. */
export interface PrincipalLookup extends IdLookup {
  /** The ARN that the user of that unique id has by now. */
  readonly arnOfUser: (userId: string) => string | undefined
}

interface IdLookup {
  /** The unique id of the user or role that has exactly this ARN. */
  readonly withArn: (arn: string) => string | undefined
  /** The unique id of the role of that name. */
  readonly roleNamed: (roleName: string) => string | undefined
}

/** Who the policy means now; `missing`: the names of users and roles that there are not. */
export function findPrincipals(
  policy: PolicyDocument,
  lookup: IdLookup,
): { ids: Map<string, string>; missing: string[] } {
  const ids = new Map<string, string>()
  const missing: string[] = []
  for (const arn of identities(policy)) {
    const id = uniqueId(arn, lookup)
    if (id === undefined) missing.push(arn)
    else ids.set(arn, id)
  }
  return { ids, missing }
}

/** The policy, meaning those with these ids and nobody else of the same name. A name that has no id means nobody. */
export function bindPrincipals(policy: PolicyDocument, ids: PrincipalIds): PolicyDocument {
  const bind = (name: PrincipalName): PrincipalName =>
    name.type === 'identity' ? { ...name, uniqueId: ids.get(name.arn) ?? nobody } : name
  return {
    statements: policy.statements.map((statement) => ({
      ...statement,
      principals: statement.principals?.map(bind),
    })),
  }
}

/**
 * The text of a policy as it is shown: a user who was renamed stands there with the new ARN, and whoever is gone with the
 * unique id that is left. A text without such names comes back as it is.
 */
export function shownPolicy(text: string, ids: PrincipalIds, lookup: PrincipalLookup): string {
  const others = [...ids].filter(([arn, id]) => uniqueId(arn, lookup) !== id)
  if (others.length === 0) return text
  const shown = new Map(others.map(([arn, id]) => [arn, lookup.arnOfUser(id) ?? id]))
  const document = shownDocument.parse(JSON.parse(text))
  const show = (name: unknown): unknown => (typeof name === 'string' ? (shown.get(name) ?? name) : name)
  const statements = Array.isArray(document.Statement) ? document.Statement : [document.Statement]
  for (const { Principal: principal } of statements) {
    if (principal === undefined || typeof principal === 'string' || principal.AWS === undefined) continue
    const { AWS: names } = principal
    principal.AWS = Array.isArray(names) ? names.map(show) : show(names)
  }
  return JSON.stringify(document, null, 2)
}

/** No unique id is like it. */
const nobody = ''

const shownStatement = z.looseObject({
  Principal: z.union([z.string(), z.looseObject({ AWS: z.unknown().optional() })]).optional(),
})
const shownDocument = z.looseObject({ Statement: z.union([shownStatement, z.array(shownStatement)]) })

function identities(policy: PolicyDocument): Set<string> {
  const names = policy.statements.flatMap(({ principals }) => principals ?? [])
  return new Set(names.flatMap((name) => (name.type === 'identity' ? [name.arn] : [])))
}

/** A session is of a role, whatever its name; whether it is there is not asked. */
function uniqueId(arn: string, lookup: IdLookup): string | undefined {
  const [, roleName, sessionName] = /^arn:aws:sts::\d{12}:assumed-role\/([^/]+)\/(.+)$/.exec(arn) ?? []
  if (roleName === undefined) return lookup.withArn(arn)
  const roleId = lookup.roleNamed(roleName)
  return roleId === undefined ? undefined : `${roleId}:${sessionName ?? ''}`
}
