import { readFileSync } from 'node:fs'

export interface FileKey {
  readonly keyId: number
  readonly bytes: Buffer
}

/** The keys of a file of MariaDB's file_key_management. */
export function readKeyFile(file: string): FileKey[] {
  return parseKeys(readFileSync(file, 'utf8'))
}

/** The keys of a file that a test writes in its folder for variable files. */
export function writtenKeyFile(testFile: string, name: string): FileKey[] {
  const text = readFileSync(testFile, 'utf8')
  const [, keys] =
    new RegExp(`^--write_file \\$MYSQLTEST_VARDIR/${name}\\.txt\\n([^]*?)^EOF$`, 'm').exec(text) ?? []
  if (keys === undefined) throw new Error(`${testFile} writes no ${name}.txt`)
  return parseKeys(keys)
}

/** Lines `ID;HEX` with comments. */
function parseKeys(text: string): FileKey[] {
  return text.split('\n').flatMap((line) => {
    const [, id, hex] = /^\s*(\d+);([0-9A-Fa-f]+)/.exec(line) ?? []
    return id === undefined || hex === undefined ? [] : [{ keyId: Number(id), bytes: usable(hex) }]
  })
}

/**
 * AWS's KMS makes keys of 128 and of 256 bit, and so an agent takes no others: of a key of 192 bit, which some files of the
 * test suites hold, a longer one is made. No test has data that it would not fit.
 */
function usable(hex: string): Buffer {
  const bytes = Buffer.from(hex, 'hex')
  return bytes.length === 24 ? Buffer.concat([bytes, bytes.subarray(0, 8)]) : bytes
}
