import { z } from 'zod'
import { type WrappingAlgorithm, wrappingAlgorithms } from '../../key-wrapping.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import { epochSeconds } from '../../protocol/json.ts'
import { type WrappingKeySpec, wrappingKeySpecs } from '../../wrapping-keys.ts'
import type { Call } from '../call.ts'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { requireImportedMaterial } from './key-kind.ts'
import { requireKeyState } from './key-states.ts'
import { keyId } from './members.ts'

/**
 * A public key to wrap key material with, and the token that goes with it: both for this key and a day.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GetParametersForImport.html
 */
export const getParametersForImport = operation({
  name: 'GetParametersForImport',
  readOnly: true,
  input: z.object({
    KeyId: keyId,
    WrappingAlgorithm: z.enum(['RSAES_PKCS1_V1_5', ...wrappingAlgorithms, 'SM2PKE']),
    WrappingKeySpec: z.enum([...wrappingKeySpecs, 'SM2']),
  }),
  find: (input, { state }) => findKeyWithoutAlias(input.KeyId, state),
  permissions: (input, key) => [
    {
      action: 'kms:GetParametersForImport',
      key,
      conditionKeys: new Map([
        ['kms:wrappingalgorithm', [input.WrappingAlgorithm]],
        ['kms:wrappingkeyspec', [input.WrappingKeySpec]],
      ]),
    },
  ],
  run(input, key, call) {
    requireImportedMaterial(key)
    const algorithm = offeredAlgorithm(input.WrappingAlgorithm)
    const spec = offeredSpec(input.WrappingKeySpec)
    requireKeyState('GetParametersForImport', key)
    return parameters(key.keyId, { spec, algorithm }, call)
  },
})

async function parameters(
  ofKey: string,
  { spec, algorithm }: { spec: WrappingKeySpec; algorithm: WrappingAlgorithm },
  { state, receivedAt }: Call,
) {
  const wrappingKey = await state.keys.wrappingKeys.take(spec)
  if (wrappingKey === undefined) throw new AwsException('ThrottlingException', 'Rate exceeded')
  // The key may have changed meanwhile, or be gone.
  const key = findKeyWithoutAlias(ofKey, state)
  requireKeyState('GetParametersForImport', key)
  const wrapping = { key: wrappingKey, algorithm }
  const { token, publicKey, validTo } = state.keys.importTokens.create(key, wrapping, receivedAt)
  return {
    KeyId: key.arn,
    ImportToken: token.toString('base64'),
    PublicKey: publicKey.toString('base64'),
    ParametersValidTo: epochSeconds(validTo),
  }
}

/** Amazon has withdrawn RSAES_PKCS1_V1_5, and has SM2 in China alone. */
function offeredAlgorithm(name: string): WrappingAlgorithm {
  const algorithm = wrappingAlgorithms.find((one) => one === name)
  if (algorithm === undefined) throw notOffered(`Wrapping algorithm ${name}`)
  return algorithm
}

function offeredSpec(name: string): WrappingKeySpec {
  const spec = wrappingKeySpecs.find((one) => one === name)
  if (spec === undefined) throw notOffered(`Wrapping key spec ${name}`)
  return spec
}

function notOffered(what: string): AwsException {
  return new AwsException('UnsupportedOperationException', `${what} is not supported.`)
}
