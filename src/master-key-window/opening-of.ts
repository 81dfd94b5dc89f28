import { GrantOpening } from './grant-opening.ts'
import { KeyOpening } from './key-opening.ts'
import type { Opening } from './opening.ts'
import type { Reach } from './reach.ts'
import type { Target } from './target.ts'

export function openingOf(target: Target, reach: Reach): Opening {
  return target.type === 'key' ? new KeyOpening(target.keyArn, reach) : new GrantOpening(target, reach)
}
