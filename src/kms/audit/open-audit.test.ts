import { ListKeysCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { test } from 'node:test'
import { recordingPino } from '../../../test/support/audit-trail.ts'
import { startTestService } from '../../../test/support/kms-service.ts'
import { until } from '../../../test/support/until.ts'

test('when more was forwarded than there is, as after a restore by hand, all that there is is sent', async (t) => {
  const received: string[] = []
  const receiver = createServer((request, response) => {
    request.setEncoding('utf8')
    request.on('data', (part: string) => received.push(part))
    request.on('end', () => response.writeHead(204).end())
  })
  t.after(() => {
    receiver.closeAllConnections()
    receiver.close()
  })
  receiver.listen(0, '127.0.0.1')
  await once(receiver, 'listening')
  const address = receiver.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const { log, entries } = recordingPino()
  const service = await startTestService(t, {
    log,
    audit: { forward: { to: `http://127.0.0.1:${String(port)}/` } },
  })
  await service.kms().send(new ListKeysCommand({}))
  const count = (): number => received.join('').split('"eventName":"ListKeys"').length - 1
  await until('the record has come', () => count() === 1)
  await service.reopen(() => {
    writeFileSync(join(service.directory, 'audit-forward.json'), '{"forwarded":1000}\n')
  })
  await until('the record has come again', () => count() === 2)
  await service.kms().send(new ListKeysCommand({}))
  await until('the next record has come', () => count() === 3)
  assert.equal(
    entries().filter(({ msg }) => msg.startsWith('more of the audit trail was forwarded')).length,
    1,
  )
})
