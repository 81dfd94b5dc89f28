import { z } from 'zod'
import { mfaDeviceArn } from '../../arn.ts'
import { enrolment } from '../../mfa/enrolment.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import { operation } from '../operation.ts'
import { requestTags } from './condition-keys.ts'
import { path, tags } from './members.ts'
import { virtualMfaDeviceName } from './mfa-members.ts'
import { quotas, requireRoom } from './quotas.ts'
import { newTags, tagsMember } from './tags.ts'

const longestSerialNumber = 256

/** The seed goes out here, once, in both forms. https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateVirtualMFADevice.html */
export const createVirtualMfaDevice = operation({
  name: 'CreateVirtualMFADevice',
  readOnly: false,
  input: z.object({
    Path: path.default('/'),
    Tags: tags.optional(),
    VirtualMFADeviceName: virtualMfaDeviceName,
  }),
  find: (input, { state }) => mfaDeviceArn(state.account.accountId, input.Path, input.VirtualMFADeviceName),
  permissions: ({ Tags = [] }, resource) => {
    const conditionKeys = requestTags(Tags)
    const create = { action: 'iam:CreateVirtualMFADevice', resource, conditionKeys }
    return Tags.length === 0 ? [create] : [create, { action: 'iam:TagMFADevice', resource, conditionKeys }]
  },
  run(input, arn, { state, receivedAt }) {
    if (arn.length > longestSerialNumber) {
      throw new AwsException(
        'ValidationException',
        `The serial number would be longer than ${longestSerialNumber} characters.`,
      )
    }
    const { mfaDevices, account } = state
    // Amazon's quota: as many as there may be users.
    requireRoom('VirtualMFADevicesPerAccount', mfaDevices.count, quotas.users)
    const name = { deviceName: input.VirtualMFADeviceName, path: input.Path }
    const made = mfaDevices.create(name, newTags(input.Tags), receivedAt)
    if (made === undefined) {
      throw new AwsException(
        'EntityAlreadyExists',
        'MFADevice entity at the same path and name already exists.',
      )
    }
    const { device, seed } = made
    try {
      const { base32Seed, qrCode } = enrolment(seed, `${device.deviceName}@${account.accountId}`)
      return {
        VirtualMFADevice: {
          SerialNumber: device.serialNumber,
          Base32StringSeed: Buffer.from(base32Seed).toString('base64'),
          QRCodePNG: qrCode.toString('base64'),
          ...tagsMember(device.tags),
        },
      }
    } finally {
      seed.fill(0)
    }
  },
  recordedAnswer: ({ VirtualMFADevice }) => ({
    virtualMFADevice: { serialNumber: VirtualMFADevice.SerialNumber },
  }),
})
