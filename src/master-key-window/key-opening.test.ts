import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import { test } from 'node:test'
import { KeyOpening } from './key-opening.ts'
import { Reach } from './reach.ts'

const keyArn = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'

// Our KMS service has no keys in most of these states, so an answer takes its place.
for (const [state, isOpen] of [
  ['Enabled', true],
  ['Unavailable', true],
  ['Updating', true],
  ['Creating', true],
  ['Disabled', false],
  ['PendingDeletion', false],
  ['PendingReplicaDeletion', false],
  ['PendingImport', false],
] as const) {
  test(`a key that is ${state} ${isOpen ? 'is not' : 'is'} closed for sure`, async (t) => {
    const server = createServer((incoming, outgoing) => {
      incoming.resume()
      outgoing.setHeader('content-type', 'application/x-amz-json-1.1')
      outgoing.end(JSON.stringify({ KeyMetadata: { KeyId: keyArn, KeyState: state } }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const address = server.address()
    assert.ok(typeof address === 'object' && address !== null)
    const reach = new Reach(
      { region: 'us-east-1', endpointUrl: `http://127.0.0.1:${address.port}` },
      { accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY' },
    )
    t.after(() => {
      reach.close()
      server.close()
    })
    assert.equal(await new KeyOpening(keyArn, reach).isOpen(), isOpen)
  })
}
