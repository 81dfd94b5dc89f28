import { z } from 'zod'
import { operation } from '../operation.ts'
import { requestTagKeys } from './condition-keys.ts'
import { entityPermission } from './entity-permission.ts'
import { tagKeys } from './members.ts'
import { seekDevice } from './mfa-device.ts'
import { serialNumber } from './mfa-members.ts'
import { existing } from './sought.ts'
import { withoutTags } from './tags.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_UntagMFADevice.html */
export const untagMfaDevice = operation({
  name: 'UntagMFADevice',
  readOnly: false,
  input: z.object({ SerialNumber: serialNumber, TagKeys: tagKeys }),
  find: (input, call) => seekDevice(input.SerialNumber, call),
  permissions: (input, sought) => [
    entityPermission('iam:UntagMFADevice', sought, requestTagKeys(input.TagKeys)),
  ],
  run(input, sought, { state }) {
    const device = existing(sought)
    state.mfaDevices.setTags(device, withoutTags(device.tags, input.TagKeys))
    return undefined
  },
})
