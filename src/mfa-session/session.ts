import { AssumeRoleCommand, type Credentials, GetSessionTokenCommand } from '@aws-sdk/client-sts'
import type { AwsAccess } from '../aws/access.ts'
import { messageOf, StrongroomError } from '../errors.ts'
import { type CodeSource, noCode } from './code.ts'

export interface SessionWish {
  readonly serialNumber: string
  readonly durationSeconds: number
  /** A role to take; undefined: a session of the caller's own. */
  readonly role: { readonly arn: string; readonly sessionName: string } | undefined
}

export interface Session {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken: string
  readonly expiration: Date
}

/**
 * Temporary credentials for which a one-time code was shown. A code that is refused is followed by the source's next one. Throws
 * SR_MFA_REFUSED once there is none, and where another would change nothing; SR_MFA_CODE where there never was one; SR_AWS_….
 */
export async function openSession(aws: AwsAccess, wish: SessionWish, codes: CodeSource): Promise<Session> {
  let refusal: StrongroomError | undefined
  for (;;) {
    const code = await codes.next(refusal?.message)
    if (code === undefined)
      throw refusal === undefined ? noCode('no code of six digits was given') : final(refusal)
    try {
      return await aws.do('get temporary credentials', () => request(aws, wish, code))
    } catch (error) {
      refusal = refusalOf(error, wish)
      if (!isWorthAnotherCode(error)) throw final(refusal)
    }
  }
}

function final({ code, message, cause }: StrongroomError): StrongroomError {
  return new StrongroomError(code, `${message}; nothing was started`, { cause })
}

/** GetSessionToken takes no temporary credentials. Found out before a code is used up; throws SR_AWS_CREDENTIALS. */
export async function requireLongTermCredentials(aws: AwsAccess): Promise<void> {
  const { sessionToken } = await aws.do('find your credentials', () => aws.sts.config.credentials())
  if (sessionToken === undefined) return
  throw new StrongroomError(
    'SR_AWS_CREDENTIALS',
    'the credentials found are temporary, and GetSessionToken takes an access key of a user alone; name another --profile, or a role with --role-arn',
  )
}

async function request(
  { sts }: AwsAccess,
  { serialNumber: SerialNumber, durationSeconds: DurationSeconds, role }: SessionWish,
  TokenCode: string,
): Promise<Session> {
  const input = { SerialNumber, DurationSeconds, TokenCode }
  const answer =
    role === undefined
      ? await sts.send(new GetSessionTokenCommand(input))
      : await sts.send(
          new AssumeRoleCommand({ ...input, RoleArn: role.arn, RoleSessionName: role.sessionName }),
        )
  return sessionOf(answer.Credentials)
}

function sessionOf(issued: Credentials | undefined): Session {
  const { AccessKeyId, SecretAccessKey, SessionToken, Expiration } = issued ?? {}
  if (
    AccessKeyId === undefined ||
    SecretAccessKey === undefined ||
    SessionToken === undefined ||
    Expiration === undefined
  )
    throw new StrongroomError('SR_AWS_FAILED', "STS's answer lacks what it must hold")
  return {
    accessKeyId: AccessKeyId,
    secretAccessKey: SecretAccessKey,
    sessionToken: SessionToken,
    expiration: Expiration,
  }
}

/** STS tells by its words alone what AccessDenied is about. */
const wrongCode = /invalid MFA one time pass code/i
const notOwn = /unable to validate MFA code/i
const aboutMfa = /MultiFactorAuthentication failed/i

function isWorthAnotherCode(error: unknown): boolean {
  return wrongCode.test(messageOf(error))
}

function refusalOf(error: unknown, { serialNumber }: SessionWish): StrongroomError {
  if (!(error instanceof StrongroomError)) throw error
  const { message, cause } = error
  if (!aboutMfa.test(message)) return error
  const answer = /\(.*\)$/s.exec(message)?.[0] ?? ''
  return new StrongroomError('SR_MFA_REFUSED', `${adviceOn(message, serialNumber)} ${answer}`, { cause })
}

function adviceOn(message: string, serialNumber: string): string {
  if (wrongCode.test(message))
    return `the code of ${serialNumber} is wrong, or was used before (AWS does not tell which, and takes each once): wait for the next one; if that is refused too, compare the clock of the device that shows it with the right time`
  if (notOwn.test(message))
    return `${serialNumber} is no MFA device of the user whose access key is used: see to --serial and --profile`
  return `no code of ${serialNumber} is taken`
}
