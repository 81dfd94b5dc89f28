import { randomBytes } from 'node:crypto'
import { z } from 'zod'
import { notYet } from '../../protocol/validation.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import { operation } from '../operation.ts'
import { numberOfBytes, recipient } from './members.ts'

/** https://docs.aws.amazon.com/kms/latest/APIReference/API_GenerateRandom.html */
export const generateRandom = operation({
  name: 'GenerateRandom',
  readOnly: true,
  input: z.object({
    CustomKeyStoreId: notYet('CustomKeyStoreId'),
    NumberOfBytes: numberOfBytes,
    Recipient: recipient,
  }),
  find: () => undefined,
  permissions: () => [{ action: 'kms:GenerateRandom' }],
  run({ NumberOfBytes }) {
    if (NumberOfBytes === undefined) {
      throw new AwsException('ValidationException', 'NumberOfBytes is required.')
    }
    const random = randomBytes(NumberOfBytes)
    try {
      return { Plaintext: random.toString('base64') }
    } finally {
      random.fill(0)
    }
  },
})
