import { z } from 'zod'
import { type Operation, operation } from '../operation.ts'
import { requestTags } from './condition-keys.ts'
import { entityPermission } from './entity-permission.ts'
import { tags } from './members.ts'
import { type TaggedKind, taggedOidcProvider, taggedPolicy, taggedRole, taggedUser } from './tagged-kind.ts'
import { withTags } from './tags.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagUser.html */
export const tagUser = tagEntity(taggedUser)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagRole.html */
export const tagRole = tagEntity(taggedRole)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagPolicy.html */
export const tagPolicy = tagEntity(taggedPolicy)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagOpenIDConnectProvider.html */
export const tagOpenIdConnectProvider = tagEntity(taggedOidcProvider)

function tagEntity<Input, Entity extends { readonly tags: ReadonlyMap<string, string> }>(
  kind: TaggedKind<Input, Entity>,
): Operation<undefined> {
  return operation({
    name: `Tag${kind.label}`,
    readOnly: false,
    input: z.intersection(kind.input, z.object({ Tags: tags })),
    find: (input, call) => kind.seek(input, call),
    permissions: (input, sought) => [
      entityPermission(`iam:Tag${kind.label}`, sought, requestTags(input.Tags)),
    ],
    run(input, sought, { state }) {
      const entity = kind.changeable(sought)
      kind.setTags(entity, withTags(entity.tags, input.Tags), state)
      return undefined
    },
  })
}
