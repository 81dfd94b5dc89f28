import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { lchownSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { openForReading, readBytes } from './read-only-file.ts'

const skip = process.getuid?.() === 0 ? false : 'only root can give a link to another'

async function startOf(path: string): Promise<string> {
  const file = await openForReading(path)
  try {
    return (await readBytes(file, 0, 100)).toString()
  } finally {
    await file.close()
  }
}

test('files and links to them are read; what would block or act is not even opened', async (t) => {
  const folder = scratchDirectory(t)
  const at = (name: string) => join(folder, name)
  writeFileSync(at('file'), 'content')
  symlinkSync(at('file'), at('link'))
  assert.equal(await startOf(at('file')), 'content')
  assert.equal(await startOf(at('link')), 'content')
  execFileSync('mkfifo', [at('pipe')])
  symlinkSync('/dev/zero', at('zero'))
  for (const name of ['pipe', 'zero', '.'])
    await assert.rejects(startOf(at(name)), { message: 'it is no regular file' })
  await assert.rejects(startOf(at('gone')), { code: 'ENOENT', path: at('gone') })
})

test('whoever owns a directory can not have root read another’s file through a link', { skip }, async (t) => {
  const folder = scratchDirectory(t)
  const link = (name: string, target: string) => {
    symlinkSync(target, join(folder, name))
    lchownSync(join(folder, name), 65534, 65534)
    return join(folder, name)
  }
  for (const target of ['/etc/shadow', '/proc/kmsg', '/proc/kcore', '/proc/1/environ'])
    await assert.rejects(startOf(link(target.slice(1).replaceAll('/', '-'), target)), target)
})
