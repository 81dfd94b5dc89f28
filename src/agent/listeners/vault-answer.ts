import { type DataKey, secretBuffer } from '../../keyring/data-key.ts'

const before = Buffer.from('{"data":{"data":{"data":"')
const between = Buffer.from('"},"metadata":{"version":')
const after = Buffer.from('}}}')
const hexDigits = Buffer.from('0123456789abcdef')

/** The answers to the questions for held keys, made once each, and zeroed with the key. */
export class VaultAnswers {
  readonly #answers = new WeakMap<DataKey, Buffer>()

  for(key: DataKey): Buffer {
    const known = this.#answers.get(key)
    if (known !== undefined) return known
    const answer = vaultAnswer(key)
    this.#answers.set(key, answer)
    key.whenDropped(() => answer.fill(0))
    return answer
  }
}

/** As Vault's KV version 2 answers, as far as the plugin reads it. The digits never become a string (rule K6). */
function vaultAnswer(key: DataKey): Buffer {
  const version = Buffer.from(String(key.version))
  return key.lend((bytes) => {
    const text = before.length + between.length + version.length + after.length
    const answer = secretBuffer(text + 2 * bytes.length)
    let end = before.copy(answer)
    for (const byte of bytes) {
      end = answer.writeUInt8(hexDigits.readUInt8(byte >> 4), end)
      end = answer.writeUInt8(hexDigits.readUInt8(byte & 15), end)
    }
    for (const part of [between, version, after]) end += part.copy(answer, end)
    return answer
  })
}
