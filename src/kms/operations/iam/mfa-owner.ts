import { rootUserArn } from '../../arn.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import { type MfaDevice, rootOwner } from '../../state/mfa-devices.ts'
import type { Call } from '../call.ts'
import { findOwner, type Owner, ownerUser } from './find-owner.ts'

/**
 * Whose MFA devices a request is about. Amazon's root user gets a device in the console alone; here its ARN stands for
 * it, which no user's name can be. As there, nobody else sees or changes what it has, whatever policies allow: throws
 * AccessDenied.
 */
export function findMfaOwner(userName: string | undefined, call: Call): Owner {
  if (userName !== rootUserArn(call.state.account.accountId)) return findOwner(userName, call)
  if (call.caller.type === 'Root') return 'root'
  throw new AwsException('AccessDeniedException', "The root user's MFA devices are for the root user alone.")
}

/** As devices know it. Throws NoSuchEntity when there is no such user. */
export function mfaOwnerId(owner: Owner): string {
  return ownerUser(owner)?.userId ?? rootOwner
}

/** Of that serial number; throws NoSuchEntity unless it is enabled for the owner. */
export function enabledDevice(serialNumber: string, ownerId: string, { state }: Call): MfaDevice {
  const device = state.mfaDevices.withSerialNumber(serialNumber)
  if (device?.owner !== ownerId) {
    throw new AwsException('NoSuchEntity', 'MFA Device invalid for user.')
  }
  return device
}
