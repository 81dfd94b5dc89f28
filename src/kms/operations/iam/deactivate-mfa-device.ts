import { z } from 'zod'
import { operation } from '../operation.ts'
import { mfaUserName, serialNumber } from './mfa-members.ts'
import { enabledDevice, findMfaOwner, mfaOwnerId } from './mfa-owner.ts'
import { ownerPermission } from './owner-permission.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeactivateMFADevice.html */
export const deactivateMfaDevice = operation({
  name: 'DeactivateMFADevice',
  readOnly: false,
  input: z.object({ SerialNumber: serialNumber, UserName: mfaUserName.optional() }),
  find: (input, call) => findMfaOwner(input.UserName, call),
  permissions: (_input, owner, call) => [ownerPermission('iam:DeactivateMFADevice', owner, call)],
  run(input, owner, call) {
    call.state.mfaDevices.deactivate(enabledDevice(input.SerialNumber, mfaOwnerId(owner), call))
    return undefined
  },
})
