import { z } from 'zod'
import { AwsException } from '../../protocol/exceptions.ts'
import { operation } from '../operation.ts'
import { requireCodes, seekDevice } from './mfa-device.ts'
import { authenticationCode, mfaUserName, serialNumber } from './mfa-members.ts'
import { findMfaOwner, mfaOwnerId } from './mfa-owner.ts'
import { ownerPermission } from './owner-permission.ts'
import { quotas, requireRoom } from './quotas.ts'
import { existing } from './sought.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_EnableMFADevice.html */
export const enableMfaDevice = operation({
  name: 'EnableMFADevice',
  readOnly: false,
  input: z.object({
    AuthenticationCode1: authenticationCode,
    AuthenticationCode2: authenticationCode,
    SerialNumber: serialNumber,
    UserName: mfaUserName,
  }),
  find: (input, call) => findMfaOwner(input.UserName, call),
  permissions: (_input, owner, call) => [ownerPermission('iam:EnableMFADevice', owner, call)],
  run(input, owner, call) {
    const ownerId = mfaOwnerId(owner)
    const device = existing(seekDevice(input.SerialNumber, call))
    if (device.owner !== undefined) {
      throw new AwsException('EntityAlreadyExists', 'MFA Device is already in use.')
    }
    const { mfaDevices } = call.state
    requireRoom('MFADevicesPerUser', mfaDevices.ofOwner(ownerId).length, quotas.mfaDevicesPerUser)
    const codes = { first: input.AuthenticationCode1, second: input.AuthenticationCode2 }
    requireCodes(mfaDevices.enable(device, ownerId, codes, call.receivedAt))
    return undefined
  },
})
