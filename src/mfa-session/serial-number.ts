import { StrongroomError } from '../errors.ts'

const ofMfaDevice = /^arn:aws[a-z-]*:iam::\d{12}:mfa\/[\w+=,.@/-]{1,512}$/
const ofUser = /^(arn:aws[a-z-]*:iam::\d{12}:)user\/(.+)$/
const ofRoot = /^(arn:aws[a-z-]*:iam::\d{12}:)root$/

/** Printed on the back of a hardware token: letters and digits, such as GAHT12345678. */
const ofHardware = /^(?=.*\d)[A-Za-z0-9-]{9,256}$/

const longest = 256

/**
 * The serial number of an MFA device as STS takes it: the ARN of a virtual one, or what is printed on a hardware token. Throws SR_USAGE for
 * all else, above all the user's ARN, which STS would refuse as if the code were wrong, and use the code up.
 */
export function checkedSerialNumber(text: string): string {
  if (text.length <= longest && (ofMfaDevice.test(text) || ofHardware.test(text))) return text
  throw new StrongroomError('SR_USAGE', `--serial ${text} ${faultOf(text)}`)
}

function faultOf(text: string): string {
  const [, account, user] = ofUser.exec(text) ?? []
  if (account !== undefined && user !== undefined) {
    const name = user.split('/').at(-1) ?? user
    return `is the ARN of a user, not of an MFA device; that is most likely ${account}mfa/${name}`
  }
  const [, rootAccount] = ofRoot.exec(text) ?? []
  if (rootAccount !== undefined)
    return `is the ARN of the account's root user; that of its MFA device is ${rootAccount}mfa/root-account-mfa-device`
  return 'is not the serial number of an MFA device: arn:aws:iam::ACCOUNT:mfa/NAME, or what is printed on a hardware token'
}
