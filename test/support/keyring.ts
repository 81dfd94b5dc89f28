import type { TestContext } from 'node:test'
import { parseCreationRule } from '../../src/keyring/creation-rule.ts'
import { Keyring, type KeyringOptions } from '../../src/keyring/keyring.ts'
import { DirectoryStore } from '../../src/keyring/stores/directory.ts'
import type { FakeMasterKey } from './fake-master-key.ts'
import { RecordingLog } from './recording-log.ts'

export interface OpenKeyring {
  readonly keyring: Keyring
  readonly log: RecordingLog
}

/** A keyring over a real directory and a fake master key, closed when the test ends. */
export async function openKeyring(
  context: TestContext,
  directory: string,
  masterKey: FakeMasterKey,
  options: Partial<KeyringOptions> = {},
): Promise<OpenKeyring> {
  const log = new RecordingLog()
  masterKey.fault = masterKey.fault === 'SR_KEYRING_CLOSED' ? undefined : masterKey.fault
  const keyring = new Keyring({
    name: 'mariadb',
    store: new DirectoryStore(directory),
    masterKey,
    keySpec: 'AES_256',
    creationRule: parseCreationRule('on-demand'),
    log,
    ...options,
  })
  context.after(() => keyring.close())
  await keyring.start()
  return { keyring, log }
}
