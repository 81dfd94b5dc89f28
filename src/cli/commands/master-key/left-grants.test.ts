import { CreateGrantCommand, CreateKeyCommand, ListGrantsCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestService } from '../../../../test/support/kms-service.ts'
import { newGrantName } from '../../../master-key-window/grant-name.ts'
import { closeGrantsLeftOver } from './left-grants.ts'

test('grants of windows that ended are revoked, whoever left them, and no others', async (t) => {
  const service = await startTestService(t)
  const kms = service.kms()
  t.after(() => {
    kms.destroy()
  })
  await service.makeUser('mariadb')
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  const KeyId = KeyMetadata?.Arn ?? assert.fail()
  const minute = 60_000
  const [old, recent, open] = [-60 * minute, -minute, minute].map((from) => newGrantName(Date.now() + from))
  for (const Name of [old, recent, open, 'strongroom-window-', 'backup', undefined]) {
    const GranteePrincipal = 'arn:aws:iam::111122223333:user/mariadb'
    await kms.send(new CreateGrantCommand({ KeyId, Name, GranteePrincipal, Operations: ['Decrypt'] }))
  }
  const place = { region: service.current.region, endpointUrl: service.current.url }
  const caller = { place, credentials: service.clientConfig().credentials }
  // A key whose grants can't be listed keeps no other from it.
  const gone = KeyId.replace(/[^/]+$/, '1234abcd-12ab-34cd-56ef-1234567890ab')
  await closeGrantsLeftOver(new Set([gone, KeyId]), caller, [])
  const { Grants = [] } = await kms.send(new ListGrantsCommand({ KeyId }))
  assert.deepEqual(
    new Set(Grants.map(({ Name }) => Name)),
    new Set([recent, open, 'strongroom-window-', 'backup', '']),
  )
})
