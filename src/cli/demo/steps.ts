import { messageOf } from '../../errors.ts'

/** One thing that the demo does and proves; `run` resolves to what was seen, in a line or a few. */
export interface Step {
  readonly title: string
  run(): Promise<string | readonly string[]>
}

export interface StepResult {
  readonly title: string
  readonly held: boolean
  /** Seconds. */
  readonly duration: number
  readonly seen: readonly string[]
}

/** The part of standard output that is used. */
export interface StepOutput {
  readonly isTTY: boolean
  write(text: string): unknown
}

const drawEvery = 100
const frames = ['|', '/', '-', '\\']

/** Runs the steps in order and stops at the first that does not hold. A terminal sees the one at work, a pipe only results. */
export async function runSteps(steps: readonly Step[], output: StepOutput): Promise<StepResult[]> {
  const results: StepResult[] = []
  for (const [index, step] of steps.entries()) {
    const label = `${String(index + 1).padStart(2)}/${steps.length} ${step.title}`
    const stopDrawing = drawProgress(label, output)
    const result = await runStep(step)
    stopDrawing()
    output.write(`${result.held ? '✔' : '✖'} ${label} (${result.duration.toFixed(1)} s)\n`)
    for (const line of result.seen) output.write(`       ${line}\n`)
    results.push(result)
    if (!result.held) break
  }
  return results
}

/** What was proved, and how long each step took. */
export function resultTable(steps: readonly Step[], results: readonly StepResult[]): string[] {
  const width = Math.max(...steps.map(({ title }) => title.length))
  const rows = steps.map(({ title }, index) => {
    const result = results[index]
    const verdict = result === undefined ? 'not reached' : result.held ? 'held' : 'FAILED'
    const time = result === undefined ? '' : `${result.duration.toFixed(1)} s`
    return `  ${title.padEnd(width)}  ${verdict.padEnd(11)}  ${time.padStart(7)}`
  })
  const total = results.reduce((sum, { duration }) => sum + duration, 0)
  const line = '-'.repeat(width + 24)
  return [
    line,
    ...rows,
    line,
    `  ${'in all'.padEnd(width)}  ${' '.repeat(11)}  ${`${total.toFixed(1)} s`.padStart(7)}`,
  ]
}

async function runStep(step: Step): Promise<StepResult> {
  const { title } = step
  const begun = performance.now()
  const after = () => (performance.now() - begun) / 1000
  try {
    const seen = await step.run()
    return { title, held: true, duration: after(), seen: typeof seen === 'string' ? [seen] : seen }
  } catch (error) {
    return { title, held: false, duration: after(), seen: messageOf(error).split('\n') }
  }
}

function drawProgress(label: string, output: StepOutput): () => void {
  if (!output.isTTY) return () => undefined
  let drawn = 0
  const timer = setInterval(() => {
    output.write(`\r${frames[drawn++ % frames.length] ?? ''} ${label} …`)
  }, drawEvery)
  return () => {
    clearInterval(timer)
    output.write('\r\u001b[K')
  }
}
