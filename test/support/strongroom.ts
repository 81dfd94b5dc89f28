import { execFile } from 'node:child_process'
import { join } from 'node:path'

export const program = join(import.meta.dirname, '../../bin/strongroom')

export interface Run {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs one command of ours to its end. */
export async function strongroom(args: readonly string[]): Promise<Run> {
  return await new Promise((resolve) => {
    execFile(program, args, (error, stdout, stderr) => {
      resolve({
        code: typeof error?.code === 'number' ? error.code : error === null ? 0 : -1,
        stdout,
        stderr,
      })
    })
  })
}
