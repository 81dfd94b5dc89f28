import { StrongroomError } from '../../errors.ts'

export function unanswerable(why: string, cause?: unknown): StrongroomError {
  return new StrongroomError('SR_KMS_SIMULATION', `cannot tell what is allowed: ${why}`, { cause })
}
