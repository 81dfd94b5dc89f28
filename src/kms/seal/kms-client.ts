import { KMSClient } from '@aws-sdk/client-kms'
import { setTimeout } from 'node:timers/promises'
import { ConfidentialHttpHandler } from '../../confidential-http.ts'
import { messageOf, StrongroomError, systemCode } from '../../errors.ts'
import { answerBehind } from '../../sdk-answer.ts'

/** Which key of which other KMS seals the root key. */
export interface KmsPlace {
  readonly keyId: string
  readonly region: string
  readonly endpoint?: string | undefined
}

/** Half a minute in all, then the start fails: whoever supervises the service decides whether it is tried again. */
const pausesBetweenTries = [500, 1000, 2000, 4000, 8000, 15_000]
const timeOfOneTry = 10_000

/**
 * Does `use` with a client for that KMS, and again after a pause while the KMS can't be reached or has trouble of its
 * own. Throws SR_KMS_SEAL with the KMS's own words.
 */
export async function withKmsClient<T>(
  place: KmsPlace,
  use: (client: KMSClient) => Promise<T>,
  pauses: readonly number[] = pausesBetweenTries,
): Promise<T> {
  const client = new KMSClient({
    region: place.region,
    ...(place.endpoint === undefined ? {} : { endpoint: place.endpoint }),
    maxAttempts: 1,
    requestHandler: new ConfidentialHttpHandler({
      connectionTimeout: timeOfOneTry,
      requestTimeout: timeOfOneTry,
    }),
  })
  try {
    for (const pause of pauses) {
      try {
        return await use(client)
      } catch (error) {
        if (!mayPass(error)) throw error
      }
      await setTimeout(pause)
    }
    return await use(client)
  } catch (error) {
    throw explained(error, place)
  } finally {
    client.destroy()
  }
}

/** A connection that failed, or an answer of the KMS that speaks of its own trouble. */
function mayPass(error: unknown): boolean {
  const { status } = answerBehind(error)
  if (status === undefined) return systemCode(error) !== undefined || nameOf(error) === 'TimeoutError'
  return status >= 500 || nameOf(error) === 'ThrottlingException'
}

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_Decrypt.html, "Errors", and "Common Errors". */
const advice = new Map([
  [
    'AccessDeniedException',
    'let its key policy or IAM allow kms:Decrypt, and kms:GenerateDataKeyWithoutPlaintext to make the seal',
  ],
  ['DisabledException', 'enable the key there'],
  ['KMSInvalidStateException', 'cancel the deletion of the key there, or bring its material back'],
  ['NotFoundException', 'there is no such key in that region; name the right one'],
  [
    'InvalidCiphertextException',
    'root-key.json was altered or belongs to another service; bring it back from a backup',
  ],
  ['IncorrectKeyException', 'root-key.json was altered; bring it back from a backup'],
  ['CredentialsProviderError', "give AWS credentials, in the environment or where AWS's tools look"],
])

function explained(error: unknown, { keyId, region, endpoint }: KmsPlace): StrongroomError {
  if (error instanceof StrongroomError) return error
  const name = nameOf(error)
  const said = [name, systemCode(error), messageOf(error)].filter((text) => text !== undefined && text !== '')
  const help =
    advice.get(name) ??
    (answerBehind(error).status === undefined
      ? 'see that it runs and can be reached'
      : 'see to that and start again')
  return new StrongroomError(
    'SR_KMS_SEAL',
    `the KMS at ${endpoint ?? 'AWS'}, region ${region}, did not open the seal with the key ${keyId} ` +
      `(${[...new Set(said)].join(': ')}): ${help}`,
    { cause: error },
  )
}

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : ''
}
