import { z } from 'zod'
import type { XmlStructure } from '../../protocol/xml.ts'
import { type Operation, operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { pageMembers } from './members.ts'
import { page } from './pages.ts'
import { existing } from './sought.ts'
import { type TaggedKind, taggedOidcProvider, taggedPolicy, taggedRole, taggedUser } from './tagged-kind.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUserTags.html */
export const listUserTags = listEntityTags(taggedUser)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoleTags.html */
export const listRoleTags = listEntityTags(taggedRole)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListPolicyTags.html */
export const listPolicyTags = listEntityTags(taggedPolicy)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOpenIDConnectProviderTags.html */
export const listOpenIdConnectProviderTags = listEntityTags(taggedOidcProvider)

function listEntityTags<Input, Entity extends { readonly tags: ReadonlyMap<string, string> }>(
  kind: TaggedKind<Input, Entity>,
): Operation<XmlStructure> {
  return operation({
    name: `List${kind.label}Tags`,
    readOnly: true,
    input: z.intersection(kind.input, z.object(pageMembers)),
    find: (input, call) => kind.seek(input, call),
    permissions: (_input, sought) => [entityPermission(`iam:List${kind.label}Tags`, sought)],
    run(input, sought) {
      const { items, more } = page([...existing(sought).tags], input, ([key]) => key.toLowerCase())
      return { Tags: items.map(([Key, Value]) => ({ Key, Value })), ...more }
    },
  })
}
