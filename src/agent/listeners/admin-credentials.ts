import type { IncomingMessage } from 'node:http'
import { z } from 'zod'
import { StrongroomError } from '../../errors.ts'
import type { Keyring } from '../../keyring/keyring.ts'
import type { Log } from '../../keyring/log.ts'
import type { HandedCredentials, SessionCredentials } from '../../keyring/master-keys/handed-credentials.ts'
import { isAboutTheKms } from '../../keyring/trouble.ts'

/** A keyring as the operator can be let at it. */
export interface OperatedKeyring {
  readonly keys: Keyring
  readonly handed: HandedCredentials
  /** Whether it waits for what MariaDB's plugin will say, and for nothing else. */
  waitsForServer(): boolean
}

/** How a keyring stands with its credentials, as JSON. */
export interface CredentialsState {
  readonly isReady: boolean
  readonly waitsForServer: boolean
  /** When those that were handed over end; undefined: there are none. */
  readonly expiration: string | undefined
  /** What is wrong; of several things one that is about the KMS. */
  readonly trouble: { readonly code: string; readonly message: string } | undefined
}

/** Bytes: a session token of AWS has some 1,000. */
const longestBody = 16_384

const visible = z.string().regex(/^[\x21-\x7e]+$/, 'must be visible ASCII')
const schema = z.strictObject({
  accessKeyId: visible.max(128),
  secretAccessKey: visible.max(256),
  sessionToken: visible.max(12_288),
  expiration: z.iso.datetime().transform((text) => new Date(text)),
})

export function credentialsState(keyring: OperatedKeyring): CredentialsState {
  const { keys, handed } = keyring
  const trouble = keys.troubles.find(isAboutTheKms) ?? keys.troubles[0]
  return {
    isReady: keys.isReady,
    waitsForServer: keyring.waitsForServer(),
    expiration: handed.current?.expiration.toISOString(),
    trouble: trouble && { code: trouble.code, message: trouble.message },
  }
}

/**
 * Uses the credentials in the body from now on, and resolves to how the keyring stands after it has tried them. Throws SR_ADMIN_FAILED for
 * another body and SR_KMS_CREDENTIALS_EXPIRED for what is over already.
 */
export async function takeCredentials(
  request: IncomingMessage,
  keyring: OperatedKeyring,
  log: Log,
): Promise<CredentialsState> {
  const credentials = await readCredentials(request)
  keyring.handed.take(credentials)
  const { accessKeyId, expiration } = credentials
  const until = expiration.toISOString()
  log.info(
    { keyring: keyring.keys.name, accessKeyId },
    `takes the credentials ${accessKeyId} that \`strongroom with-mfa\` handed over for keyring ${keyring.keys.name}, until ${until}`,
  )
  await keyring.keys.lookAfresh()
  return credentialsState(keyring)
}

async function readCredentials(request: IncomingMessage): Promise<SessionCredentials> {
  const body = await readBody(request)
  try {
    const { success, data, error } = schema.safeParse(parseJson(body))
    if (success) return data
    const [issue] = error.issues
    throw invalid(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? 'is wrong'}`)
  } finally {
    body.fill(0)
  }
}

/** The caller zeroes it; what it was copied from is zeroed here. */
async function readBody(request: IncomingMessage): Promise<Buffer> {
  const body = Buffer.alloc(longestBody)
  let length = 0
  try {
    for await (const chunk of request) {
      if (!Buffer.isBuffer(chunk)) throw new Error('the body of a request comes as bytes')
      if (length + chunk.length > longestBody) throw invalid(`longer than ${longestBody} bytes`)
      length += chunk.copy(body, length)
      chunk.fill(0)
    }
    return body.subarray(0, length)
  } catch (error) {
    body.fill(0)
    throw error
  }
}

/** The parser's own complaint quotes what it read, which may be the secret. */
function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    throw invalid('not JSON')
  }
}

function invalid(fault: string): StrongroomError {
  return new StrongroomError('SR_ADMIN_FAILED', `the agent does not take such credentials: ${fault}`)
}
