import { z } from 'zod'
import { operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { pageMembers } from './members.ts'
import { seekDevice } from './mfa-device.ts'
import { serialNumber } from './mfa-members.ts'
import { page } from './pages.ts'
import { existing } from './sought.ts'
import { tagList } from './tags.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListMFADeviceTags.html */
export const listMfaDeviceTags = operation({
  name: 'ListMFADeviceTags',
  readOnly: true,
  input: z.object({ ...pageMembers, SerialNumber: serialNumber }),
  find: (input, call) => seekDevice(input.SerialNumber, call),
  permissions: (_input, sought) => [entityPermission('iam:ListMFADeviceTags', sought)],
  run(input, sought) {
    const { items, more } = page([...existing(sought).tags], input, ([key]) => key)
    return { Tags: tagList(new Map(items)), ...more }
  },
})
