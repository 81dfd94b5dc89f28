import { z } from 'zod'
import { type Operation, operation } from '../operation.ts'
import { requestTagKeys } from './condition-keys.ts'
import { entityPermission } from './entity-permission.ts'
import { tagKeys } from './members.ts'
import { type TaggedKind, taggedOidcProvider, taggedPolicy, taggedRole, taggedUser } from './tagged-kind.ts'
import { withoutTags } from './tags.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagUser.html */
export const untagUser = untagEntity(taggedUser)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagRole.html */
export const untagRole = untagEntity(taggedRole)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagPolicy.html */
export const untagPolicy = untagEntity(taggedPolicy)
/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagOpenIDConnectProvider.html */
export const untagOpenIdConnectProvider = untagEntity(taggedOidcProvider)

function untagEntity<Input, Entity extends { readonly tags: ReadonlyMap<string, string> }>(
  kind: TaggedKind<Input, Entity>,
): Operation<undefined> {
  return operation({
    name: `Untag${kind.label}`,
    readOnly: false,
    input: z.intersection(kind.input, z.object({ TagKeys: tagKeys })),
    find: (input, call) => kind.seek(input, call),
    permissions: (input, sought) => [
      entityPermission(`iam:Untag${kind.label}`, sought, requestTagKeys(input.TagKeys)),
    ],
    run(input, sought, { state }) {
      const entity = kind.changeable(sought)
      kind.setTags(entity, withoutTags(entity.tags, input.TagKeys), state)
      return undefined
    },
  })
}
