import { z } from 'zod'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { requireKeyState } from './key-states.ts'
import { keyId } from './members.ts'
import { requireFreeTagKey, tagKeyList } from './tags.ts'

/**
 * That a key has no such tag is no error.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_UntagResource.html
 */
export const untagResource = operation({
  name: 'UntagResource',
  readOnly: false,
  input: z.object({ KeyId: keyId, TagKeys: tagKeyList }),
  find(input, { state }) {
    input.TagKeys.forEach(requireFreeTagKey)
    return findKeyWithoutAlias(input.KeyId, state)
  },
  permissions: ({ TagKeys }, key) => [
    {
      action: 'kms:UntagResource',
      key,
      conditionKeys: new Map(TagKeys.length === 0 ? [] : [['aws:tagkeys', TagKeys]]),
    },
  ],
  run({ TagKeys }, key, { state }) {
    requireKeyState('UntagResource', key)
    const removed = new Set(TagKeys)
    state.keys.setTags(key, new Map([...key.tags].filter(([name]) => !removed.has(name))))
    return undefined
  },
})
