import {
  DecryptCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  type GenerateDataKeyWithoutPlaintextCommandOutput,
  KMSClient,
} from '@aws-sdk/client-kms'
import { setTimeout } from 'node:timers/promises'
import { ConfidentialHttpHandler } from '../../confidential-http.ts'
import { StrongroomError } from '../../errors.ts'
import type { KeySpec } from '../data-key.ts'
import type { MasterKeyExamination } from '../examination.ts'
import type { MasterKey, Unwrapped, Wrapped } from '../master-key.ts'
import type { EncryptionContext } from '../wrapped-key.ts'
import { type CredentialOptions, Credentials } from './credentials.ts'
import type { HandedCredentials, SessionCredentials } from './handed-credentials.ts'
import { examineKms } from './kms-examination.ts'
import { explainKmsError, isExpiry, isWorthAnotherTry, type KmsCall } from './kms-errors.ts'
import { takePlaintext } from './plaintext-middleware.ts'
import { regionFor, regionOf } from './region.ts'
import { withinTime } from './time-limit.ts'
import { boundAnswers } from './whole-answer.ts'
import { wipingAgents } from './wiping-agents.ts'

export interface AwsKmsOptions extends CredentialOptions {
  /** Id, ARN, alias or alias ARN; undefined: keys are unwrapped, none are made. */
  readonly masterKeyId: string | undefined
  /** undefined: that of the master key's ARN, else what AWS's tools find. */
  readonly region: string | undefined
  /** undefined: Amazon's own. */
  readonly endpointUrl: string | undefined
  /** Milliseconds for one call, its second try included. */
  readonly requestTimeout: number
  /** Come first, as long as there are any. */
  readonly handed?: HandedCredentials
}

/** More than are unwrapped side by side, so that the making of a key does not queue behind them. */
const connectionsAtOnce = 64
const pauseBeforeSecondTry = 100

/** A master key in AWS KMS, or in a KMS that speaks its protocol. */
export class AwsKmsMasterKey implements MasterKey {
  readonly name: string | undefined
  readonly #client: KMSClient
  readonly #credentials: Credentials
  readonly #handed: HandedCredentials | undefined
  readonly #call: Omit<KmsCall, 'masterKey' | 'isHanded'>

  constructor(options: AwsKmsOptions) {
    const region = regionFor(options)
    const { requestTimeout, credentialsFile, profile } = options
    this.name = options.masterKeyId
    this.#call = {
      endpoint: options.endpointUrl ?? 'AWS KMS',
      region: options.region ?? regionOf(options.masterKeyId),
      requestTimeout,
      credentialsFile,
      profile,
    }
    this.#credentials = new Credentials(options)
    this.#handed = options.handed
    const { provide } = this.#credentials
    this.#client = new KMSClient({
      region,
      ...(profile !== undefined && { profile }),
      ...(options.endpointUrl === undefined ? {} : { endpoint: options.endpointUrl }),
      credentials: this.#handed?.before(provide) ?? provide,
      // The SDK's own pauses would outlast the time-out, and hide behind it what the KMS said.
      maxAttempts: 1,
      requestHandler: new ConfidentialHttpHandler({
        ...wipingAgents({ keepAlive: true, maxSockets: connectionsAtOnce }),
        connectionTimeout: requestTimeout,
        requestTimeout,
      }),
    })
    boundAnswers(this.#client.middlewareStack)
  }

  async wrapNew(spec: KeySpec, context: EncryptionContext | undefined): Promise<Wrapped> {
    const { name } = this
    if (name === undefined) {
      throw new StrongroomError('SR_MASTER_KEY_UNSET', 'no new key can be made: master-key-id is not set')
    }
    return await this.#send(name, async (abortSignal) => {
      const input = { KeyId: name, KeySpec: spec, EncryptionContext: context }
      return wrappedFrom(
        await this.#client.send(new GenerateDataKeyWithoutPlaintextCommand(input), { abortSignal }),
      )
    })
  }

  async unwrap(
    ciphertext: Buffer,
    context: EncryptionContext | undefined,
    masterKeyArn: string | undefined,
  ): Promise<Unwrapped> {
    return await this.#send(masterKeyArn ?? this.name, async (abortSignal) => {
      const input = { CiphertextBlob: ciphertext, EncryptionContext: context, KeyId: masterKeyArn }
      const command = new DecryptCommand(input)
      let plaintext: Buffer | undefined
      takePlaintext(command.middlewareStack, (taken) => (plaintext = taken))
      const { KeyId } = await this.#client.send(command, { abortSignal })
      if (plaintext === undefined || KeyId === undefined) throw incomplete('Decrypt')
      return { plaintext, masterKeyArn: KeyId }
    })
  }

  async examine(
    context: EncryptionContext | undefined,
    others: readonly string[],
  ): Promise<MasterKeyExamination> {
    const { endpoint, region } = this.#call
    const kms = {
      name: this.name,
      client: this.#client,
      send: <T>(masterKey: string, send: (signal: AbortSignal) => Promise<T>) => this.#send(masterKey, send),
    }
    return {
      ...(this.name !== undefined && { name: this.name }),
      endpoint,
      ...(region !== undefined && { region }),
      ...(await examineKms(kms, context, others)),
    }
  }

  close(): void {
    this.#client.destroy()
  }

  async #send<T>(masterKey: string | undefined, send: (signal: AbortSignal) => Promise<T>): Promise<T> {
    const handed = this.#handed?.current
    try {
      return await withinTime(this.#call.requestTimeout, (signal) => twice(() => send(signal)))
    } catch (error) {
      const explained = explainKmsError(error, { masterKey, isHanded: handed !== undefined, ...this.#call })
      if (explained.code === 'SR_KMS_CREDENTIALS') this.#forget(handed, error)
      throw this.#handed?.explain(explained, handed) ?? explained
    }
  }

  /** Of others than the KMS refused, those that were handed over since among them, nothing is known. */
  #forget(handed: SessionCredentials | undefined, error: unknown): void {
    if (handed === undefined) this.#credentials.forget()
    else if (isExpiry(error)) this.#handed?.expired(handed)
  }
}

/** One more try for what may pass at once. */
async function twice<T>(attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt()
  } catch (error) {
    if (!isWorthAnotherTry(error)) throw error
  }
  await setTimeout(pauseBeforeSecondTry)
  return await attempt()
}

function wrappedFrom({ CiphertextBlob, KeyId }: GenerateDataKeyWithoutPlaintextCommandOutput): Wrapped {
  if (CiphertextBlob === undefined || KeyId === undefined) throw incomplete('GenerateDataKeyWithoutPlaintext')
  return { ciphertext: Buffer.from(CiphertextBlob), masterKeyArn: KeyId }
}

function incomplete(operation: string): StrongroomError {
  return new StrongroomError('SR_KMS_FAILED', `the KMS's answer to ${operation} lacks what it must hold`)
}
