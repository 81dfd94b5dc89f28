import { z } from 'zod'
import { operation } from '../operation.ts'
import { requestTags } from './condition-keys.ts'
import { entityPermission } from './entity-permission.ts'
import { tags } from './members.ts'
import { seekDevice } from './mfa-device.ts'
import { serialNumber } from './mfa-members.ts'
import { existing } from './sought.ts'
import { withTags } from './tags.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_TagMFADevice.html */
export const tagMfaDevice = operation({
  name: 'TagMFADevice',
  readOnly: false,
  input: z.object({ SerialNumber: serialNumber, Tags: tags }),
  find: (input, call) => seekDevice(input.SerialNumber, call),
  permissions: (input, sought) => [entityPermission('iam:TagMFADevice', sought, requestTags(input.Tags))],
  run(input, sought, { state }) {
    const device = existing(sought)
    state.mfaDevices.setTags(device, withTags(device.tags, input.Tags))
    return undefined
  },
})
