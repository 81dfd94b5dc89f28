import { z } from 'zod'
import { AwsException } from '../../protocol/exceptions.ts'
import { operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { seekDevice } from './mfa-device.ts'
import { serialNumber } from './mfa-members.ts'
import { existing } from './sought.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteVirtualMFADevice.html */
export const deleteVirtualMfaDevice = operation({
  name: 'DeleteVirtualMFADevice',
  readOnly: false,
  input: z.object({ SerialNumber: serialNumber }),
  find: (input, call) => seekDevice(input.SerialNumber, call),
  permissions: (_input, sought) => [entityPermission('iam:DeleteVirtualMFADevice', sought)],
  run(_input, sought, { state }) {
    const device = existing(sought)
    if (device.owner !== undefined) {
      throw new AwsException('DeleteConflict', 'MFA VirtualDevice in use. Must deactivate first.')
    }
    state.mfaDevices.delete(device)
    return undefined
  },
})
