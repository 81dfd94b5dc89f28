import type { AdminHandlers } from '../admin/handlers.ts'
import type { State } from '../operations/call.ts'
import { simulate } from './simulate.ts'

/** What `strongroom kms simulate` asks for. */
export function simulationHandlers(home: State): AdminHandlers {
  return { '/simulate': (body) => simulate(body, home) }
}
