import { z } from 'zod'
import type { ConformanceCase } from './conformance-case.ts'
import type { Members, World } from './world.ts'

const source = 'https://docs.aws.amazon.com/kms/latest/developerguide/encrypt_context.html'

type Context = Readonly<Record<string, string>>
type Variation = readonly [what: string, made: Context | undefined, given: Context | undefined, same: boolean]

/** The context that a blob is made with, the one it is opened with, and whether they are the same to Amazon. */
const variations: readonly Variation[] = [
  ['none and none', undefined, undefined, true],
  ['an empty one and none', {}, undefined, true],
  ['none and an empty one', undefined, {}, true],
  ['the same', { a: 'b' }, { a: 'b' }, true],
  ['the same in another order', { a: 'b', c: 'd' }, { c: 'd', a: 'b' }, true],
  ['one, where there was none', undefined, { a: 'b' }, false],
  ['none, where there was one', { a: 'b' }, undefined, false],
  ['a pair too few', { a: 'b', c: 'd' }, { a: 'b' }, false],
  ['a pair too many', { a: 'b' }, { a: 'b', c: 'd' }, false],
  ['another value', { a: 'b' }, { a: 'c' }, false],
  ['another key', { a: 'b' }, { c: 'b' }, false],
  ['a value in another case', { a: 'b' }, { a: 'B' }, false],
  ['a key in another case', { a: 'b' }, { A: 'b' }, false],
  ['the border between key and value moved', { a: 'bc' }, { ab: 'c' }, false],
  ['two values changed over', { a: 'b', c: 'd' }, { a: 'd', c: 'b' }, false],
  ['two pairs as one', { a: 'b', c: 'd' }, { 'a:b,c': 'd' }, false],
  ['a space at the end', { a: 'b' }, { a: 'b ' }, false],
  ['the same text in another Unicode form', { a: '\u00e9' }, { a: 'e\u0301' }, false],
  ['the same beyond ASCII', { schlüssel: 'größe 🔑' }, { schlüssel: 'größe 🔑' }, true],
  [
    'a name that means something to the AWS Encryption SDK',
    { 'aws-crypto-public-key': 'x' },
    undefined,
    false,
  ],
]

const make: Readonly<Record<string, Members>> = {
  Encrypt: { Plaintext: Buffer.from('secret').toString('base64') },
  GenerateDataKey: { KeySpec: 'AES_256' },
  GenerateDataKeyWithoutPlaintext: { KeySpec: 'AES_128' },
}
const open: Readonly<
  Record<string, (CiphertextBlob: unknown, EncryptionContext: Context | undefined, KeyId: string) => Members>
> = {
  Decrypt: (CiphertextBlob, EncryptionContext) => ({ CiphertextBlob, EncryptionContext }),
  ReEncrypt: (CiphertextBlob, SourceEncryptionContext, DestinationKeyId) => ({
    CiphertextBlob,
    SourceEncryptionContext,
    DestinationKeyId,
  }),
}

export const contextCases: readonly ConformanceCase[] = Object.keys(make).flatMap((maker) =>
  Object.keys(open).flatMap((operation) =>
    variations.map((variation) => ({
      operation,
      topic: 'encryption context',
      variation: `a blob of ${maker}: ${variation[0]}`,
      outcome: variation[3] ? 'ok' : 'InvalidCiphertextException',
      source,
      ask: (world) => askWithContexts({ maker, operation }, variation, world),
    })),
  ),
)

async function askWithContexts(
  { maker, operation }: { maker: string; operation: string },
  [, made, given]: Variation,
  world: World,
): Promise<string> {
  const { keyId } = await world.key('Enabled')
  const { CiphertextBlob } = await world.must(maker, {
    ...make[maker],
    KeyId: keyId,
    EncryptionContext: made,
  })
  const members = open[operation]?.(z.string().parse(CiphertextBlob), given, keyId) ?? {}
  return (await world.ask(operation, members)).outcome
}
