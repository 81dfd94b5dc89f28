import { z } from 'zod'
import { AwsKmsMasterKey } from '../../src/keyring/master-keys/aws-kms.ts'
import { DirectoryStore } from '../../src/keyring/stores/directory.ts'
import { unwrapOne } from '../../src/keyring/unwrapping.ts'
import { exampleRegion } from '../../src/cli/demo/kms-setup.ts'
import { answerEach } from './answer.ts'

/** Loads stored keys with the agent's own code, but one after the other. */
const question = z.object({ directory: z.string(), kmsUrl: z.string(), credentialsFile: z.string() })

answerEach(question, async ({ directory, kmsUrl, credentialsFile }) => {
  const store = new DirectoryStore(directory)
  const masterKey = new AwsKmsMasterKey({
    masterKeyId: undefined,
    region: exampleRegion,
    endpointUrl: kmsUrl,
    requestTimeout: 5000,
    credentialsFile,
    profile: undefined,
  })
  const started = performance.now()
  const { manifest, wrappedKeys } = await store.read()
  if (manifest === undefined) throw new Error(`${directory} has no manifest`)
  for (const key of wrappedKeys) {
    const issued = manifest.keys.find(({ keyId }) => keyId === key.keyId)
    await unwrapOne({ ...key, issued }, manifest, { store, masterKey })
  }
  return { milliseconds: performance.now() - started }
})
