import assert from 'node:assert/strict'
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../../../test/support/scratch.ts'
import { openKmsService } from '../service.ts'

test('a damaged word of a restore stops the start, which says what to do, and goes on once that is done', async (t) => {
  const dataDirectory = join(scratchDirectory(t), 'data')
  const start = () => openKmsService({ dataDirectory, listen: '127.0.0.1:0' })
  await (await start()).close()
  const path = join(dataDirectory, 'restored.json')
  for (const content of ['{"restoredAt"', '{}', '{"restoredAt": "yesterday"}']) {
    writeFileSync(path, content)
    await assert.rejects(start(), {
      code: 'SR_KMS_BACKUP',
      message:
        `${path} cannot be read (it is damaged): it says when the directory was restored, for the audit trail; ` +
        'note that elsewhere and remove the file',
    })
  }
  rmSync(path)
  await (await start()).close()
})
