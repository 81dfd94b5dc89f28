import { StrongroomError } from '../errors.ts'
import type { MasterKey } from '../keyring/master-key.ts'

/** Stands where MariaDB's options are to say which KMS it is, and nothing has been heard yet: nobody is asked. */
export class UnsaidMasterKey implements MasterKey {
  readonly name = undefined

  wrapNew(): Promise<never> {
    return Promise.reject(unsaid())
  }

  unwrap(): Promise<never> {
    return Promise.reject(unsaid())
  }

  close(): void {
    // There is nothing to close.
  }
}

function unsaid(): StrongroomError {
  return new StrongroomError(
    'SR_MASTER_KEY_UNSET',
    "what MariaDB's options say of the KMS is not known before the server connects (accept-options-from = plugin)",
  )
}
