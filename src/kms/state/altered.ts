import { StrongroomError } from '../../errors.ts'

/** For a row of which some part is not what was sealed. */
export function altered(owner: string): StrongroomError {
  return new StrongroomError(
    'SR_KMS_DATABASE_DAMAGED',
    `the row of ${owner} was altered, or was sealed by another root key: bring database and root key back from a backup`,
  )
}
