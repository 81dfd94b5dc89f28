import assert from 'node:assert/strict'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, test, type TestContext } from 'node:test'
import { dataFiles, type DataFiles, openDataDirectory, type DirectoryOptions } from './data-directory.ts'

function scratch(t: TestContext): DataFiles {
  const parent = mkdtempSync(join(tmpdir(), 'strongroom-kms-data-'))
  t.after(() => {
    rmSync(parent, { recursive: true })
  })
  return dataFiles(join(parent, 'deeper', 'kms'))
}

/** Opens and closes. */
async function visit(
  files: DataFiles,
  wanted: DirectoryOptions = {},
): Promise<{ created: boolean; accountId: string; region: string }> {
  const data = await openDataDirectory(files.directory, wanted)
  data.close()
  return { created: data.created, ...data.account }
}

async function made(t: TestContext): Promise<DataFiles> {
  const files = scratch(t)
  await visit(files)
  return files
}

const mode = (path: string): number => statSync(path).mode & 0o777

describe('a data directory', () => {
  test('is made once, for its owner alone, whatever the umask', async (t) => {
    const files = scratch(t)
    const umask = process.umask(0)
    try {
      const data = await openDataDirectory(files.directory, {})
      assert.equal(mode(files.directory), 0o700)
      const names = [
        files.rootKey.clearFile,
        files.database,
        files.rootAccessKey,
        files.lock,
        `${files.database}-wal`,
      ]
      for (const path of names) assert.equal(mode(path), 0o600, path)
      data.close()
    } finally {
      process.umask(umask)
    }
    assert.match(
      readFileSync(files.rootAccessKey, 'utf8'),
      /^\[default\]\naws_access_key_id = AKIA[A-Z2-7]{16}\naws_secret_access_key = [A-Za-z0-9+/]{40}\n$/,
    )
    assert.deepEqual(await visit(files), { created: false, accountId: '111122223333', region: 'us-east-1' })
  })

  test('an existing empty directory will do, if it is closed to others', async (t) => {
    const files = scratch(t)
    mkdirSync(files.directory, { recursive: true, mode: 0o700 })
    chmodSync(files.directory, 0o755)
    await assert.rejects(visit(files), { code: 'SR_KMS_DIRECTORY', message: /chmod 700/ })
    chmodSync(files.directory, 0o700)
    assert.equal((await visit(files)).created, true)
  })

  test('keeps its account and region', async (t) => {
    const files = scratch(t)
    const wanted = { accountId: '123456789012', region: 'eu-central-1' }
    assert.deepEqual(await visit(files, wanted), { created: true, ...wanted })
    assert.deepEqual(await visit(files), { created: false, ...wanted })
    assert.deepEqual(await visit(files, wanted), { created: false, ...wanted })
    for (const other of [{ accountId: '111122223333' }, { region: 'us-east-1' }]) {
      await assert.rejects(visit(files, other), { code: 'SR_KMS_SETTINGS_DIFFER' })
    }
  })

  test('serves one service at a time', async (t) => {
    const files = await made(t)
    const data = await openDataDirectory(files.directory, {})
    await assert.rejects(visit(files), { code: 'SR_KMS_DIRECTORY_IN_USE' })
    data.close()
    assert.equal((await visit(files)).created, false)
  })

  test('serves one service at a time, even when its lock file is removed', async (t) => {
    const files = await made(t)
    const data = await openDataDirectory(files.directory, {})
    for (const path of [files.lock, `${files.database}-shm`]) rmSync(path, { force: true })
    await assert.rejects(visit(files), { code: 'SR_KMS_DIRECTORY_IN_USE' })
    await assert.rejects(visit(files), { code: 'SR_KMS_DIRECTORY_IN_USE' })
    data.close()
    assert.equal((await visit(files)).created, false)
  })

  test('that cannot be made, read or locked is refused with the reason, not as in use', async (t) => {
    const refused = async (files: DataFiles, message: RegExp): Promise<void> => {
      await assert.rejects(visit(files), { code: 'SR_KMS_DIRECTORY', message })
    }
    const file = scratch(t)
    writeFileSync(join(file.directory, '../..', 'deeper'), '')
    await refused(file, /cannot make the data directory .*\(ENOTDIR\): /)
    const lockIsDirectory = await made(t)
    rmSync(lockIsDirectory.lock)
    mkdirSync(lockIsDirectory.lock)
    await refused(lockIsDirectory, /cannot lock .*\(.*unable to open.*\): /)
    const databaseIsDirectory = await made(t)
    rmSync(databaseIsDirectory.database)
    mkdirSync(databaseIsDirectory.database)
    await refused(databaseIsDirectory, /cannot open .*\(.*unable to open.*\): /)
  })

  test('that is half made is made anew', async (t) => {
    const whole = await made(t)
    const steps: ((files: DataFiles) => void)[] = [
      () => undefined,
      (files) => {
        writeFileSync(files.rootKey.clearFile, 'half')
      },
      (files) => {
        writeFileSync(files.rootKey.clearFile, 'half')
        writeFileSync(files.database, '')
      },
      (files) => {
        copyFileSync(whole.database, files.database)
        writeFileSync(files.rootAccessKey, 'half')
      },
    ]
    for (const step of steps) {
      const files = scratch(t)
      mkdirSync(files.directory, { recursive: true, mode: 0o700 })
      writeFileSync(files.creating, '')
      step(files)
      assert.equal((await visit(files)).created, true)
      assert.equal(existsSync(files.creating), false)
      assert.equal((await visit(files)).created, false)
    }
  })

  test('that is not whole is refused, and stays as it is', async (t) => {
    const other = await made(t)
    const table: [what: string, code: string, damage: (files: DataFiles) => void][] = [
      [
        'no root key',
        'SR_KMS_ROOT_KEY_MISSING',
        (files) => {
          unlinkSync(files.rootKey.clearFile)
        },
      ],
      [
        'the root key of another service',
        'SR_KMS_ROOT_KEY_WRONG',
        (files) => {
          copyFileSync(other.rootKey.clearFile, files.rootKey.clearFile)
        },
      ],
      [
        'half a root key',
        'SR_KMS_ROOT_KEY_WRONG',
        (files) => {
          truncateSync(files.rootKey.clearFile, 40)
        },
      ],
      [
        'no database',
        'SR_KMS_DATABASE_MISSING',
        (files) => {
          unlinkSync(files.database)
        },
      ],
      [
        'no database, and a trail',
        'SR_KMS_DATABASE_MISSING',
        (files) => {
          unlinkSync(files.database)
          writeFileSync(files.auditTrail, '')
        },
      ],
      [
        'an empty database file',
        'SR_KMS_DATABASE_FOREIGN',
        (files) => {
          truncateSync(files.database, 0)
        },
      ],
      [
        'half a database',
        'SR_KMS_DATABASE_DAMAGED',
        (files) => {
          truncateSync(files.database, 8192)
        },
      ],
      [
        'a page of garbage',
        'SR_KMS_DATABASE_DAMAGED',
        (files) => {
          const bytes = readFileSync(files.database)
          bytes.fill(0xff, 8192, 12288)
          writeFileSync(files.database, bytes)
        },
      ],
      [
        'another letter in the name of a column',
        'SR_KMS_DATABASE_DAMAGED',
        (files) => {
          const bytes = readFileSync(files.database)
          bytes.write('q', bytes.indexOf('rotation_period_days INTEGER') + 9)
          writeFileSync(files.database, bytes)
        },
      ],
      [
        'no SQLite database',
        'SR_KMS_DATABASE_DAMAGED',
        (files) => {
          writeFileSync(files.database, 'x'.repeat(10_000))
        },
      ],
      [
        'the database of something else',
        'SR_KMS_DATABASE_FOREIGN',
        (files) => {
          unlinkSync(files.database)
          const database = new DatabaseSync(files.database)
          database.exec('CREATE TABLE t (a)')
          database.close()
        },
      ],
      [
        'the database of a newer release',
        'SR_KMS_DATABASE_NEWER',
        (files) => {
          const database = new DatabaseSync(files.database)
          database.exec('PRAGMA user_version = 1000')
          database.close()
        },
      ],
      [
        'marked as half made, but with a trail',
        'SR_KMS_DIRECTORY',
        (files) => {
          writeFileSync(files.creating, '')
          writeFileSync(files.auditTrail, '{}\n')
        },
      ],
    ]
    for (const [what, code, damage] of table) {
      const files = await made(t)
      damage(files)
      const before = contents(files)
      await assert.rejects(visit(files), { name: 'StrongroomError', code }, what)
      await assert.rejects(visit(files), { name: 'StrongroomError', code }, `${what}, again`)
      assert.deepEqual(contents(files), before, what)
    }
    assert.equal(table.length, 13)
  })

  test('a directory with other things in it is not touched', async (t) => {
    const files = scratch(t)
    mkdirSync(files.directory, { recursive: true, mode: 0o700 })
    writeFileSync(join(files.directory, 'photo.jpg'), '')
    await assert.rejects(visit(files), { code: 'SR_KMS_DIRECTORY_FOREIGN' })
    assert.equal(existsSync(files.lock), false)
  })
})

function contents(files: DataFiles): (Buffer | undefined)[] {
  return [files.database, files.rootKey.clearFile, files.rootAccessKey].map((path) =>
    existsSync(path) ? readFileSync(path) : undefined,
  )
}
