import { z } from 'zod'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { requireKeyState } from './key-states.ts'
import { keyId } from './members.ts'
import { readTags, requestTagConditions, tagList, withTags } from './tags.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_TagResource.html */
export const tagResource = operation({
  name: 'TagResource',
  readOnly: false,
  input: z.object({ KeyId: keyId, Tags: tagList }),
  find: (input, { state }) => ({ key: findKeyWithoutAlias(input.KeyId, state), tags: readTags(input.Tags) }),
  permissions: (_input, { key, tags }) => [
    { action: 'kms:TagResource', key, conditionKeys: requestTagConditions(tags) },
  ],
  run(_input, { key, tags }, { state }) {
    requireKeyState('TagResource', key)
    state.keys.setTags(key, withTags(key.tags, tags))
    return undefined
  },
})
