import { AwsException } from '../../protocol/exceptions.ts'

/** The longest that imported key material may be there, in milliseconds; it can be imported again. */
const longest = 365 * 24 * 60 * 60 * 1000

interface Expiration {
  readonly ExpirationModel: 'KEY_MATERIAL_EXPIRES' | 'KEY_MATERIAL_DOES_NOT_EXPIRE'
  /** Seconds since 1970. */
  readonly ValidTo?: number | undefined
}

/** When imported key material expires; undefined: never. Throws ValidationException when model and date don't fit. */
export function requireExpiration({ ExpirationModel, ValidTo }: Expiration, now: Date): Date | undefined {
  if (ExpirationModel === 'KEY_MATERIAL_DOES_NOT_EXPIRE') {
    if (ValidTo === undefined) return undefined
    throw invalid('A validTo date cannot be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE')
  }
  if (ValidTo === undefined) {
    throw invalid('A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES')
  }
  const time = ValidTo * 1000
  if (time <= now.getTime()) throw invalid('ValidTo must be in the future')
  if (time > now.getTime() + longest) throw invalid('ValidTo must be at most 365 days from now')
  return new Date(time)
}

/** https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html */
export function importConditions({
  ExpirationModel,
  ValidTo,
}: Expiration): ReadonlyMap<string, readonly string[]> {
  const conditions = new Map<string, string[]>([['kms:expirationmodel', [ExpirationModel]]])
  if (ValidTo !== undefined && Number.isFinite(new Date(ValidTo * 1000).getTime())) {
    conditions.set('kms:validto', [new Date(ValidTo * 1000).toISOString()])
  }
  return conditions
}

function invalid(message: string): AwsException {
  return new AwsException('ValidationException', message)
}
