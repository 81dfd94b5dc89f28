import {
  type DecryptCommandOutput,
  DecryptCommand,
  GenerateDataKeyWithoutPlaintextCommand,
  type GenerateDataKeyWithoutPlaintextCommandOutput,
  KMSClient,
} from '@aws-sdk/client-kms'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { Agent as HttpAgent } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { StrongroomError } from '../../errors.ts'
import type { KeySpec } from '../data-key.ts'
import type { MasterKey, Unwrapped, Wrapped } from '../master-key.ts'
import type { EncryptionContext } from '../wrapped-key.ts'
import { credentialsFor, type CredentialOptions } from './credentials.ts'
import { explainKmsError } from './kms-errors.ts'

export interface AwsKmsOptions extends CredentialOptions {
  /** Id, ARN, alias or alias ARN; undefined: keys are unwrapped, none are made. */
  readonly masterKeyId: string | undefined
  /** undefined: that of the master key's ARN, else what the SDK finds. */
  readonly region: string | undefined
  /** undefined: Amazon's own. */
  readonly endpointUrl: string | undefined
  /** Milliseconds for one call, its retries included. */
  readonly requestTimeout: number
}

const connectionsAtOnce = 32

/** A master key in AWS KMS, or in a KMS that speaks its protocol. */
export class AwsKmsMasterKey implements MasterKey {
  readonly name: string | undefined
  readonly #client: KMSClient
  readonly #requestTimeout: number
  readonly #where: { endpoint: string; region: string | undefined }

  constructor(options: AwsKmsOptions) {
    const region = options.region ?? regionOf(options.masterKeyId)
    this.name = options.masterKeyId
    this.#requestTimeout = options.requestTimeout
    this.#where = { endpoint: options.endpointUrl ?? 'AWS KMS', region }
    const sockets = { keepAlive: true, maxSockets: connectionsAtOnce }
    this.#client = new KMSClient({
      ...(region === undefined ? {} : { region }),
      ...(options.endpointUrl === undefined ? {} : { endpoint: options.endpointUrl }),
      credentials: credentialsFor(options),
      requestHandler: new NodeHttpHandler({
        httpAgent: new HttpAgent(sockets),
        httpsAgent: new HttpsAgent(sockets),
        connectionTimeout: options.requestTimeout,
        requestTimeout: options.requestTimeout,
        socketAcquisitionWarningTimeout: 0,
      }),
    })
  }

  async wrapNew(spec: KeySpec, context: EncryptionContext | undefined): Promise<Wrapped> {
    if (this.name === undefined) {
      throw new StrongroomError('SR_MASTER_KEY_UNSET', 'no new key can be made: master-key-id is not set')
    }
    const input = { KeyId: this.name, KeySpec: spec, EncryptionContext: context }
    const command = new GenerateDataKeyWithoutPlaintextCommand(input)
    const answer = await this.#send(this.name, (options) => this.#client.send(command, options))
    return wrappedFrom(answer)
  }

  async unwrap(
    ciphertext: Buffer,
    context: EncryptionContext | undefined,
    masterKeyArn: string | undefined,
  ): Promise<Unwrapped> {
    const input = { CiphertextBlob: ciphertext, EncryptionContext: context, KeyId: masterKeyArn }
    const command = new DecryptCommand(input)
    const answer = await this.#send(masterKeyArn ?? this.name, (options) =>
      this.#client.send(command, options),
    )
    return unwrappedFrom(answer)
  }

  close(): void {
    this.#client.destroy()
  }

  async #send<T>(
    masterKey: string | undefined,
    send: (options: { abortSignal: AbortSignal }) => Promise<T>,
  ): Promise<T> {
    try {
      return await send({ abortSignal: AbortSignal.timeout(this.#requestTimeout) })
    } catch (error) {
      throw explainKmsError(error, { masterKey, requestTimeout: this.#requestTimeout, ...this.#where })
    }
  }
}

/** Of `arn:aws:kms:REGION:ACCOUNT:key/ID`; undefined for an id or a bare alias. */
function regionOf(masterKeyId: string | undefined): string | undefined {
  return /^arn:[^:]+:kms:([^:]+):/.exec(masterKeyId ?? '')?.[1]
}

function wrappedFrom(answer: GenerateDataKeyWithoutPlaintextCommandOutput): Wrapped {
  const { CiphertextBlob, KeyId } = answer
  if (CiphertextBlob === undefined || KeyId === undefined) throw incomplete('GenerateDataKeyWithoutPlaintext')
  return { ciphertext: Buffer.from(CiphertextBlob), masterKeyArn: KeyId }
}

function unwrappedFrom({ Plaintext, KeyId }: DecryptCommandOutput): Unwrapped {
  if (Plaintext === undefined || KeyId === undefined) throw incomplete('Decrypt')
  return { plaintext: Plaintext, masterKeyArn: KeyId }
}

function incomplete(operation: string): StrongroomError {
  return new StrongroomError('SR_KMS_FAILED', `the KMS's answer to ${operation} lacks what it must hold`)
}
