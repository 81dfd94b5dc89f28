import { StrongroomError } from '../../../errors.ts'
import {
  type AskPassphrase,
  type SealHelp,
  type SealKind,
  sealKinds,
  type SealRequest,
} from '../../../kms/seal/seal.ts'
import { hiddenPrompt } from '../../hidden-prompt.ts'

/** The options that say what protects the root key. */
export interface SealOptions {
  readonly seal?: string | undefined
  readonly 'seal-key-id'?: string | undefined
  readonly 'seal-region'?: string | undefined
  readonly 'seal-endpoint'?: string | undefined
}

export const sealFlags = {
  seal: { type: 'string' },
  'seal-key-id': { type: 'string' },
  'seal-region': { type: 'string' },
  'seal-endpoint': { type: 'string' },
} as const

/** Undefined when no seal is named. Throws SR_USAGE. */
export function sealRequest(options: SealOptions): SealRequest | undefined {
  const { seal, 'seal-key-id': keyId, 'seal-region': region, 'seal-endpoint': endpoint } = options
  if (seal !== 'kms' && (keyId ?? region ?? endpoint) !== undefined) {
    throw usage('seal-key-id, seal-region and seal-endpoint are for seal = kms')
  }
  if (seal === undefined) return undefined
  if (!isSealKind(seal)) throw usage(`seal is one of ${sealKinds.join(', ')}`)
  if (seal !== 'kms') return { kind: seal }
  const regionOfArn = /^arn:[^:]+:kms:([^:]+):/.exec(keyId ?? '')?.[1]
  const found = region ?? regionOfArn
  if (keyId === undefined || found === undefined) {
    throw usage('seal = kms takes seal-key-id, and seal-region unless that is an ARN')
  }
  return { kind: 'kms', keyId, region: found, endpoint }
}

function isSealKind(text: string): text is SealKind {
  return sealKinds.some((kind) => kind === text)
}

/** Asks at the terminal, if there is one; a new passphrase is opened once more by the one who makes it. */
export function passphraseHelp(passphraseFile: string | undefined, subject = ''): SealHelp {
  const prompt = hiddenPrompt()
  if (prompt === undefined) return { passphraseFile }
  const askPassphrase: AskPassphrase = (purpose) =>
    prompt(
      purpose === 'new' ? `New passphrase${subject}: ` : `Passphrase of the root key${subject}: `,
      new StrongroomError('SR_KMS_PASSPHRASE', 'no passphrase was given'),
    )
  return { passphraseFile, askPassphrase }
}

function usage(message: string): StrongroomError {
  return new StrongroomError('SR_USAGE', message)
}
