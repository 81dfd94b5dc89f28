import { join } from 'node:path'
import { createMasterKey, createUser, exampleAccount, exampleRegion } from '../src/cli/demo/kms-setup.ts'
import { AwsKmsMasterKey } from '../src/keyring/master-keys/aws-kms.ts'
import type { EncryptionContext } from '../src/keyring/wrapped-key.ts'
import type { KmsSetup } from './agent.ts'
import type { Workplace } from './workplace.ts'

export interface RealKms {
  readonly kms: KmsSetup
  readonly wrap: (context: EncryptionContext | undefined) => Promise<Buffer>
}

/** `strongroom kms` as a process of its own, with a user and a master key. */
export async function startRealKms(place: Workplace): Promise<RealKms> {
  const data = join(place.directory, 'kms')
  const options = ['--listen', '127.0.0.1:0', '--region', exampleRegion, '--account-id', exampleAccount]
  const args = ['kms', '--data', data, '--log-level', 'warn', ...options]
  const daemon = await place.startDaemon({ args, directory: place.directory, name: 'kms' })
  const administrator = { url: daemon.url, credentialsFile: join(data, 'root-access-key') }
  const user = await createUser(administrator, 'mariadb', join(place.directory, 'kms-credentials'))
  const masterKeyArn = await createMasterKey(administrator, user, 'alias/mariadb')
  const masterKey = new AwsKmsMasterKey({
    masterKeyId: masterKeyArn,
    region: exampleRegion,
    endpointUrl: daemon.url,
    requestTimeout: 5000,
    credentialsFile: user.credentialsFile,
    profile: undefined,
  })
  place.atEnd(() => {
    masterKey.close()
    return Promise.resolve()
  })
  return {
    kms: { url: daemon.url, masterKeyArn, credentialsFile: user.credentialsFile },
    wrap: async (context) => (await masterKey.wrapNew('AES_256', context)).ciphertext,
  }
}
