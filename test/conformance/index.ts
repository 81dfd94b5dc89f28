import { boundsCases } from './bounds-cases.ts'
import type { ConformanceCase } from './conformance-case.ts'
import { contextCases } from './context-cases.ts'
import { keyStateCases } from './key-state-cases.ts'
import { namingCases } from './naming-cases.ts'
import { rightsCases } from './rights-cases.ts'
import { webIdentityCases } from './web-identity-cases.ts'

/** Every case, by topic. */
export const conformanceCases: readonly ConformanceCase[] = [
  ...keyStateCases,
  ...namingCases,
  ...contextCases,
  ...rightsCases,
  ...boundsCases,
  ...webIdentityCases,
]
