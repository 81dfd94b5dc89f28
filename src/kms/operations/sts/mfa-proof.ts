import { AwsException } from '../../protocol/exceptions.ts'
import { type MfaDevice, rootOwner } from '../../state/mfa-devices.ts'
import type { Call } from '../call.ts'

interface MfaMembers {
  readonly SerialNumber?: string | undefined
  readonly TokenCode?: string | undefined
}

/**
 * Whether the request shows a code of one of the caller's own MFA devices, which is used up by that. Throws AccessDenied
 * for a code that is wrong or was used before, and for half of the two members.
 */
export function provesMfa({ SerialNumber, TokenCode }: MfaMembers, call: Call): boolean {
  if (SerialNumber === undefined && TokenCode === undefined) return false
  if (SerialNumber === undefined || TokenCode === undefined) {
    throw failed(', must provide both MFA serial number and one time pass code.')
  }
  const check = call.state.mfaDevices.accept(ownDevice(SerialNumber, call), TokenCode, call.receivedAt)
  if (check.accepted) return true
  if (check.pausedUntil === undefined) throw failed(' with invalid MFA one time pass code.')
  throw failed(
    `: after too many wrong one time pass codes none is accepted until ${check.pausedUntil.toISOString()}.`,
  )
}

function ownDevice(serialNumber: string, { caller, state }: Call): MfaDevice {
  const device = state.mfaDevices.withSerialNumber(serialNumber)
  const isOwn =
    (caller.type === 'Root' && device?.owner === rootOwner) ||
    (caller.type === 'IAMUser' && device?.owner === caller.principalId)
  if (device !== undefined && isOwn) return device
  throw failed(
    ', unable to validate MFA code.  ' +
      'Please verify your MFA serial number is valid and associated with this user.',
  )
}

function failed(how: string): AwsException {
  return new AwsException('AccessDeniedException', `MultiFactorAuthentication failed${how}`)
}
