import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { StrongroomError } from '../../errors.ts'
import type { AgentConfig, KeyringConfig } from '../../agent/config.ts'
import type { AgentExamination } from '../../agent/examination.ts'
import { defaultRequestTimeout } from '../../agent/master-key-settings.ts'
import type { Examination } from '../../keyring/examination.ts'
import { examine } from '../../keyring/examine.ts'
import { AwsKmsMasterKey } from '../../keyring/master-keys/aws-kms.ts'
import type { StoreContents } from '../../keyring/store.ts'
import { DirectoryStore } from '../../keyring/stores/directory.ts'
import { isSeen, type Looked, seen, unseen, unseenBy } from '../looked.ts'
import { statOf, tokensIn } from './files.ts'

/** Asks the agent at its admin socket to examine a keyring. */
export type AskAgent = (socket: string, keyring: string) => Promise<AgentExamination>

/** Milliseconds: it may have thousands of keys unwrapped, and wait for a KMS that does not answer. */
const patience = 120_000

/** What the running agent finds; `unseen`: it was not to be asked. */
export async function lookThroughAgent(
  config: Looked<AgentConfig>,
  keyring: Looked<KeyringConfig>,
  askAgent: AskAgent,
): Promise<Looked<AgentExamination>> {
  if (!isSeen(config)) return config
  if (!isSeen(keyring)) return keyring
  const { adminSocket } = config.seen
  if (adminSocket === undefined)
    return unseen('[agent] admin-socket is not set, so the agent can not be asked')
  try {
    const late = setTimeout(patience, undefined, { ref: false })
    const answer = await Promise.race([askAgent(adminSocket, keyring.seen.name), late])
    return answer === undefined ? unseen(`the agent at ${adminSocket} does not answer`) : seen(answer)
  } catch (error) {
    return answered(error) ? { unseen: refusal(error), isRefused: true } : unseenBy(error)
  }
}

/** An agent that can't be reached is an error of the system's; what else there is came from one, or is about what came. */
function answered(error: unknown): boolean {
  return !(error instanceof StrongroomError && error.cause !== undefined)
}

/** An answer that has not got what we look for is told by our words: it may be long. */
function refusal(error: unknown): string {
  return error instanceof StrongroomError
    ? `answers: ${error.message}`
    : 'answers something that is not known here'
}

/** What we find ourselves, with the agent's credentials, which are not those of whoever runs the doctor. */
export async function lookWithoutAgent(
  keyring: Looked<KeyringConfig>,
  configFile: string,
): Promise<Looked<Examination>> {
  if (!isSeen(keyring)) return keyring
  const { masterKey, storeDirectory, dataDirectory, profile, keyringId, ...config } = keyring.seen
  // Where the installed unit of systemd takes the agent's from (LoadCredential).
  const installed = join(configFile, '../aws-credentials')
  const credentialsFile = config.credentialsFile ?? (statOf(installed) === undefined ? undefined : installed)
  if (credentialsFile === undefined || config.awaitsCredentials)
    return unseen('the agent does not answer, and nothing else has its credentials for the KMS')
  const { masterKeyId, region, endpointUrl, requestTimeout = defaultRequestTimeout } = masterKey
  const kms = new AwsKmsMasterKey({
    masterKeyId,
    region,
    endpointUrl,
    requestTimeout,
    credentialsFile,
    profile,
  })
  try {
    const store = new DirectoryStore(storeDirectory, dataDirectory)
    return seen(await examine({ store, masterKey: kms, keyringId }, undefined))
  } catch (error) {
    return unseenBy(error)
  } finally {
    kms.close()
  }
}

export async function lookAtStore(keyring: Looked<KeyringConfig>): Promise<Looked<StoreContents>> {
  if (!isSeen(keyring)) return keyring
  const { storeDirectory, dataDirectory } = keyring.seen
  try {
    return seen(await new DirectoryStore(storeDirectory, dataDirectory).look())
  } catch (error) {
    return unseenBy(error)
  }
}

/** The tokens of each keyring that has a token file, by its name. */
export function lookAtTokens(config: Looked<AgentConfig>): Map<string, Looked<readonly string[]>> {
  const keyrings = isSeen(config) ? config.seen.keyrings : []
  return new Map(
    keyrings.flatMap(({ name, tokenFile }) => {
      if (tokenFile === undefined) return []
      const tokens = tokensIn(tokenFile)
      return [[name, tokens === undefined ? unseen(`${tokenFile} can not be read`) : seen(tokens)] as const]
    }),
  )
}
