import { rootUserArn } from '../../arn.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import type { XmlStructure } from '../../protocol/xml.ts'
import { type MfaDevice, rootOwner } from '../../state/mfa-devices.ts'
import type { Call, State } from '../call.ts'
import type { Sought } from './sought.ts'
import { userStructure } from './structures.ts'

export function seekDevice(serialNumber: string, { state }: Call): Sought<MfaDevice> {
  const entity = state.mfaDevices.withSerialNumber(serialNumber)
  return {
    entity,
    arn: serialNumber,
    tags: entity?.tags,
    missing: `VirtualMFADevice with serial number ${serialNumber} doesn't exist.`,
  }
}

/** Without its tags, as lists show it. https://docs.aws.amazon.com/IAM/latest/APIReference/API_VirtualMFADevice.html */
export function deviceStructure(device: MfaDevice, state: State): XmlStructure {
  return {
    SerialNumber: device.serialNumber,
    User: userOf(device, state),
    EnableDate: device.enabledAt,
  }
}

function userOf({ owner }: MfaDevice, { account, users }: State): XmlStructure | undefined {
  if (owner === undefined) return undefined
  if (owner === rootOwner) return { UserId: account.accountId, Arn: rootUserArn(account.accountId) }
  const user = users.withId(owner)
  return user && userStructure(user)
}

/** Throws InvalidAuthenticationCode unless it `fits`. */
export function requireCodes(fits: boolean): void {
  if (fits) return
  throw new AwsException('InvalidAuthenticationCode', 'Authentication code for device is not valid')
}
