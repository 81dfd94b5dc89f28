import { StrongroomError } from '../errors.ts'
import type { MasterKeyExamination } from '../keyring/examination.ts'
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

  examine(): Promise<MasterKeyExamination> {
    const { code, message } = unsaid()
    const described = [{ name: 'none', problem: { code, message } }]
    return Promise.resolve({ endpoint: 'unknown', described, needed: {}, needless: [] })
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
