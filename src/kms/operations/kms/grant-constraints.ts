import { z } from 'zod'
import type { GrantConstraints } from '../../policy/grant.ts'
import type { EncryptionContext } from '../../ciphertext.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import { notYet } from '../../protocol/validation.ts'
import { contextConstraint } from './members.ts'

/* Amazon's bounds of one constraint. */
const mostPairs = 8
const longestValue = 384

/** The member `Constraints`. */
export const constraints = z
  .object({
    EncryptionContextEquals: contextConstraint,
    EncryptionContextSubset: contextConstraint,
    SourceArn: notYet('SourceArn'),
  })
  .optional()

/**
 * Undefined when it constrains nothing: so it is with the empty subset, which every context has.
 * https://docs.aws.amazon.com/kms/latest/developerguide/create-grant-overview.html#grant-constraints
 */
export function readConstraints(member: z.infer<typeof constraints>): GrantConstraints | undefined {
  const { EncryptionContextEquals: equals, EncryptionContextSubset: pairs } = member ?? {}
  const subset = pairs?.size === 0 ? undefined : pairs
  if (equals !== undefined && subset !== undefined) {
    throw new AwsException(
      'ValidationException',
      'A grant has one of EncryptionContextEquals and EncryptionContextSubset, not both.',
    )
  }
  if (equals !== undefined) return { encryptionContextEquals: withinBounds(equals) }
  return subset && { encryptionContextSubset: withinBounds(subset) }
}

/** The encryption context that conditions of policies are asked for. */
export function constrainedContext(of: GrantConstraints | undefined): EncryptionContext {
  return of?.encryptionContextEquals ?? of?.encryptionContextSubset ?? new Map<string, string>()
}

/** `kms:GrantConstraintType` */
export function constraintConditions(of: GrantConstraints | undefined): Map<string, readonly string[]> {
  if (of === undefined) return new Map()
  const type =
    of.encryptionContextEquals === undefined ? 'EncryptionContextSubset' : 'EncryptionContextEquals'
  return new Map([['kms:grantconstrainttype', [type]]])
}

/** As in a list of grants. */
export function shownConstraints({
  encryptionContextEquals,
  encryptionContextSubset,
}: GrantConstraints): object {
  return {
    ...(encryptionContextEquals && { EncryptionContextEquals: Object.fromEntries(encryptionContextEquals) }),
    ...(encryptionContextSubset && { EncryptionContextSubset: Object.fromEntries(encryptionContextSubset) }),
  }
}

function withinBounds(pairs: EncryptionContext): EncryptionContext {
  if (pairs.size > mostPairs) {
    throw new AwsException('LimitExceededException', `A grant constraint has at most ${mostPairs} pairs.`)
  }
  for (const value of pairs.values()) {
    if (value.length > longestValue) {
      throw new AwsException(
        'LimitExceededException',
        `A value in a grant constraint has at most ${longestValue} characters.`,
      )
    }
  }
  return pairs
}
