import { z } from 'zod'
import { operation } from '../operation.ts'
import { requireCodes } from './mfa-device.ts'
import { authenticationCode, mfaUserName, serialNumber } from './mfa-members.ts'
import { enabledDevice, findMfaOwner, mfaOwnerId } from './mfa-owner.ts'
import { ownerPermission } from './owner-permission.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ResyncMFADevice.html */
export const resyncMfaDevice = operation({
  name: 'ResyncMFADevice',
  readOnly: false,
  input: z.object({
    AuthenticationCode1: authenticationCode,
    AuthenticationCode2: authenticationCode,
    SerialNumber: serialNumber,
    UserName: mfaUserName,
  }),
  find: (input, call) => findMfaOwner(input.UserName, call),
  permissions: (_input, owner, call) => [ownerPermission('iam:ResyncMFADevice', owner, call)],
  run(input, owner, call) {
    const device = enabledDevice(input.SerialNumber, mfaOwnerId(owner), call)
    const codes = { first: input.AuthenticationCode1, second: input.AuthenticationCode2 }
    requireCodes(call.state.mfaDevices.resync(device, codes, call.receivedAt))
    return undefined
  },
})
