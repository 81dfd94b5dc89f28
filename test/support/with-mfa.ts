import { spawn } from 'node:child_process'
import { closeSync, openSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import type { Credentials } from './kms-service.ts'
import { program, type Run } from './strongroom.ts'

/** For tests: whose credentials `strongroom with-mfa` finds, and by which clock it goes. */
export interface Operator {
  /** Of the test's own: what the operator needs is put there. */
  readonly directory: string
  readonly environment: Readonly<Record<string, string>>
}

/** Somebody at a shell whose AWS access key lies in the shared credentials file. */
export function operatorAt(
  directory: string,
  { accessKeyId, secretAccessKey }: Credentials,
  more: Readonly<Record<string, string>> = {},
): Operator {
  const file = join(directory, 'credentials')
  writeFileSync(
    file,
    `[default]\naws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`,
    { mode: 0o600 },
  )
  return {
    directory,
    environment: {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      HOME: directory,
      AWS_SHARED_CREDENTIALS_FILE: file,
      AWS_EC2_METADATA_DISABLED: 'true',
      ...more,
    },
  }
}

/** Runs `strongroom with-mfa --code-from 3 ARGS 3<FILE` with the code in a file of the given mode. */
export async function withMfa(
  operator: Operator,
  code: string,
  args: readonly string[],
  mode = 0o600,
): Promise<Run> {
  const file = join(operator.directory, 'code')
  writeFileSync(file, `${code}\n`, { mode })
  const descriptor = openSync(file, 'r')
  try {
    const child = spawn(program, ['with-mfa', '--code-from', '3', ...args], {
      env: operator.environment,
      stdio: ['ignore', 'pipe', 'pipe', descriptor],
    })
    const ended = new Promise<number>((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', (exitCode) => {
        resolve(exitCode ?? -1)
      })
    })
    const { stdout, stderr } = child
    if (stdout === null || stderr === null) throw new Error('it has no output')
    const [out, error, exitCode] = await Promise.all([text(stdout), text(stderr), ended])
    return { code: exitCode, stdout: out, stderr: error }
  } finally {
    closeSync(descriptor)
    rmSync(file)
  }
}
