import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { z } from 'zod'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { serverStack, type TestStackOptions } from './running-stack.ts'
import { scratchDirectory } from './scratch.ts'
import { strongroom } from './strongroom.ts'

const diagnosisSchema = z.object({
  findings: z.array(
    z.object({
      severity: z.enum(['critical', 'warning', 'advice']),
      code: z.string(),
      where: z.string(),
      what: z.string(),
      remedy: z.string(),
    }),
  ),
  notChecked: z.array(z.object({ about: z.string(), reason: z.string() })),
})

export type Diagnosis = z.infer<typeof diagnosisSchema>

/** KMS, agent and server as they should be: nothing that doctor would find. */
export async function healthyStack(t: TestContext, options: TestStackOptions = {}): Promise<Stack> {
  forbidCoreDumps()
  const stack = await serverStack({
    ...options,
    server: { 'secure-file-priv': fileFolder(t), ...options.server },
  })
  t.after(() => stack.remove())
  return stack
}

/** To our processes too, which inherit it; the units of systemd say LimitCORE=0. */
export function forbidCoreDumps(): void {
  execFileSync('prlimit', [`--pid=${process.pid}`, '--core=0:0'])
}

/** For secure_file_priv. */
export function fileFolder(t: TestContext): string {
  const folder = scratchDirectory(t)
  chmodSync(folder, 0o755)
  return folder
}

export function doctorArguments(stack: Stack): string[] {
  return [
    'doctor',
    `--config=${join(stack.agentDirectory, 'agent.conf')}`,
    `--option-file=${stack.prepared.optionFile}`,
    `--socket=${stack.prepared.socket}`,
  ]
}

/** What doctor says as JSON, and its exit code. */
export async function diagnosisOf(
  stack: Stack,
  more: readonly string[] = [],
): Promise<{ code: number; diagnosis: Diagnosis; output: string }> {
  const { code, stdout, stderr } = await strongroom([...doctorArguments(stack), '--json', ...more])
  if (stdout === '') throw new Error(stderr)
  const { findings, notChecked } = diagnosisSchema.parse(JSON.parse(stdout))
  if (code !== (findings.length === 0 ? 0 : 1)) throw new Error(`exit code ${code} with ${stdout}`)
  const ours = findings.filter((finding) => !isOfOthers(finding))
  return {
    code: ours.length === 0 ? 0 : 1,
    diagnosis: { findings: ours, notChecked },
    output: stdout + stderr,
  }
}

/** The host is looked at, and other tests run on it at the same time: their processes too have secrets in their environments. */
function isOfOthers({ code, where }: Diagnosis['findings'][number]): boolean {
  const pid = /^process (\d+) /.exec(where)?.[1]
  return pid !== undefined && code.endsWith('_IN_ENVIRONMENT') && !isOurs(Number(pid))
}

function isOurs(pid: number): boolean {
  if (pid === process.pid) return true
  try {
    const parent = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return pid > 1 && parent !== undefined && isOurs(Number(parent))
  } catch {
    // It has ended; ours outlive the question.
    return false
  }
}

export function codesIn({ findings }: Diagnosis): string[] {
  return findings.map(({ code }) => code)
}
