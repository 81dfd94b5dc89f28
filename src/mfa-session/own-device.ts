import { ListMFADevicesCommand } from '@aws-sdk/client-iam'
import type { AwsAccess } from '../aws/access.ts'
import { StrongroomError } from '../errors.ts'

/**
 * The serial number of the caller's only MFA device that shows codes. Throws SR_MFA_DEVICE where there is none or more than one, or where
 * AWS doesn't let the caller look (`iam:ListMFADevices` on its own user), and SR_AWS_….
 */
export async function findOwnDevice(aws: AwsAccess): Promise<string> {
  const [device, ...others] = (await listDevices(aws)).filter(showsCodes)
  if (device === undefined)
    throw unknown(
      'you have no MFA device that shows codes; have one enabled for your user (a security key is not for this)',
    )
  if (others.length === 0) return device
  throw unknown(`you have several MFA devices; name one with --serial: ${[device, ...others].join(', ')}`)
}

async function listDevices(aws: AwsAccess): Promise<string[]> {
  try {
    const { MFADevices = [] } = await aws.do('list your MFA devices', () =>
      aws.iam.send(new ListMFADevicesCommand({})),
    )
    return MFADevices.flatMap(({ SerialNumber }) => SerialNumber ?? [])
  } catch (error) {
    if (!(error instanceof StrongroomError) || error.code !== 'SR_AWS_REFUSED') throw error
    throw unknown(`${error.message}; name yours with --serial arn:aws:iam::ACCOUNT:mfa/NAME`, error)
  }
}

/** Security keys (FIDO) are listed too: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_mfa_fido.html */
function showsCodes(serialNumber: string): boolean {
  return !serialNumber.includes(':u2f/')
}

function unknown(why: string, cause?: unknown): StrongroomError {
  return new StrongroomError('SR_MFA_DEVICE', why, { cause })
}
