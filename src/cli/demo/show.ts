import { DisableKeyCommand, EnableKeyCommand, type KMSClient } from '@aws-sdk/client-kms'
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf, StrongroomError } from '../../errors.ts'
import { auditLines } from './audit-summary.ts'
import { filesHolding } from './file-search.ts'
import { kmsClient } from './kms-setup.ts'
import { logMessages, waitForLog } from './log-lines.ts'
import type { Stack } from './stack.ts'
import type { Step } from './steps.ts'

/** Stands in both tables; only the one that is not encrypted may show it on disk. */
export const marker = 'PAYROLL-OF-NOVEMBER-4711'

/** The demo, step by step: what it does on the stack, and what must be seen for the step to hold. */
export function demoSteps(stack: Stack): Step[] {
  return [
    { title: 'start the KMS service', run: () => startKms(stack) },
    {
      title: 'make a master key and a user who may use but not administer it',
      run: () => makeMasterKey(stack),
    },
    { title: 'start the agent with the credentials of that user', run: () => startAgent(stack) },
    { title: 'initialise an empty data directory with encryption on', run: () => initialise(stack) },
    { title: 'start mariadbd: data keys 1 and 2 generated and loaded', run: () => startServer(stack) },
    { title: 'only wrapped keys are on disk', run: () => Promise.resolve(wrappedKeysOnDisk(stack)) },
    { title: 'a table with ENCRYPTION_KEY_ID=3 brings a third key', run: () => thirdKey(stack) },
    { title: 'a marker is on disk in an unencrypted table and nowhere else', run: () => searchMarker(stack) },
    {
      title: 'innodb_encrypt_tables=FORCE refuses an unencrypted table',
      run: () => refuseUnencrypted(stack),
    },
    { title: 'master key disabled: the running server does not notice', run: () => disableMasterKey(stack) },
    {
      title: 'master key disabled: a restart of everything fails and says why',
      run: () => failToRestart(stack),
    },
    { title: 'master key enabled again: it starts, the rows are there', run: () => restart(stack) },
    {
      title: 'the audit trail tells who used the master key',
      run: () => Promise.resolve(readAuditTrail(stack)),
    },
  ]
}

async function startKms(stack: Stack): Promise<string> {
  await stack.startKms()
  return `${stack.kms.url}, process ${stack.kms.pid}; its data: ${stack.kmsDirectory}`
}

async function makeMasterKey(stack: Stack): Promise<string[]> {
  await stack.makeMasterKey()
  const asUser = kmsClient({ url: stack.kms.url, credentialsFile: stack.user.credentialsFile })
  try {
    const refusal = await refusalOf(asUser.send(new DisableKeyCommand({ KeyId: stack.masterKeyArn })))
    return [`master key ${stack.masterKeyArn}`, `user ${stack.user.arn}; DisableKey by it: ${refusal}`]
  } finally {
    asUser.destroy()
  }
}

async function startAgent(stack: Stack): Promise<string> {
  await stack.prepare()
  await stack.startAgent()
  return `${stack.agent.url}, process ${stack.agent.pid}`
}

async function initialise(stack: Stack): Promise<string> {
  await stack.initialise()
  return stack.prepared.dataDirectory
}

async function startServer(stack: Stack): Promise<string[]> {
  const server = await stack.startServer()
  const [row] = await server.query('SELECT VERSION() AS version')
  const lines = logMessages(stack.agent).filter((line) => line.startsWith('AWS KMS plugin:'))
  for (const keyId of [1, 2]) {
    demand(
      lines.includes(`AWS KMS plugin: generated encrypted datakey for key id=${keyId}, version=1`),
      `key ${keyId} was generated`,
    )
    demand(
      lines.includes(`AWS KMS plugin: loaded key ${keyId}, version 1, key length 256 bit`),
      `key ${keyId} was loaded`,
    )
  }
  const usesKey2 = readFileSync(stack.prepared.errorLog, 'utf8').includes(
    'Using encryption key id 2 for temporary files',
  )
  demand(usesKey2, 'the server uses key 2 for temporary files')
  return [`MariaDB ${String(row?.['version'])}, process ${server.pid}; the agent's log says:`, ...lines]
}

function wrappedKeysOnDisk(stack: Stack): string[] {
  const directory = stack.prepared.dataDirectory
  const files = readdirSync(directory)
    .filter((name) => name.startsWith('aws-kms-key.'))
    .sort()
  const wanted = ['aws-kms-key.1.1', 'aws-kms-key.2.1', 'aws-kms-key.keyring.json']
  demand(JSON.stringify(files) === JSON.stringify(wanted), `the files are ${wanted.join(', ')}`)
  return files.map((name) => {
    const { size, mode } = statSync(join(directory, name))
    return `${name}  ${size} bytes, mode ${(mode & 0o777).toString(8)}`
  })
}

async function thirdKey(stack: Stack): Promise<string> {
  await stack.server.query('CREATE DATABASE demo')
  await stack.server.query(
    'CREATE TABLE demo.salaries (who INT PRIMARY KEY, note VARCHAR(100)) ENGINE=InnoDB ENCRYPTED=YES ENCRYPTION_KEY_ID=3',
  )
  await stack.server.query('INSERT INTO demo.salaries VALUES (1, ?)', [marker])
  const file = join(stack.prepared.dataDirectory, 'aws-kms-key.3.1')
  return `aws-kms-key.3.1  ${statSync(file).size} bytes`
}

async function searchMarker(stack: Stack): Promise<string[]> {
  const { server } = stack
  // MyISAM can't encrypt; an unencrypted InnoDB page would pass through the doublewrite buffer, too.
  await server.query('CREATE TABLE demo.control (who INT PRIMARY KEY, note VARCHAR(100)) ENGINE=MyISAM')
  await server.query('INSERT INTO demo.control VALUES (1, ?)', [marker])
  // FOR EXPORT writes the table's pages to its file before it returns.
  await server.query('FLUSH TABLES demo.salaries FOR EXPORT')
  await server.query('FLUSH TABLES demo.control')
  await server.query('FLUSH BINARY LOGS')
  const { found, searched } = await filesHolding(stack.prepared.dataDirectory, marker)
  demand(
    found.length === 1 && found[0] === 'demo/control.MYD',
    `only demo/control.MYD holds it, not ${found.join(', ')}`,
  )
  for (const name of ['ib_logfile0', 'ibdata1', 'demo/salaries.ibd', 'binlog.000001']) {
    demand(
      searched.some((file) => file === name),
      `${name} was searched`,
    )
  }
  return [
    `searched ${searched.length} files, the redo log and the binary logs among them`,
    `"${marker}" is in ${found.join(', ')} alone`,
  ]
}

async function refuseUnencrypted(stack: Stack): Promise<string> {
  const [row] = await stack.server.query("SHOW VARIABLES LIKE 'innodb_encrypt_tables'")
  demand(row?.['Value'] === 'FORCE', 'innodb_encrypt_tables is FORCE')
  const sql = 'CREATE TABLE demo.plain (who INT PRIMARY KEY) ENGINE=InnoDB ENCRYPTED=NO'
  return `CREATE TABLE … ENCRYPTED=NO: ${await refusalOf(stack.server.query(sql))}`
}

async function disableMasterKey(stack: Stack): Promise<string> {
  await asAdministrator(stack, (kms) => kms.send(new DisableKeyCommand({ KeyId: stack.masterKeyArn })))
  const { server } = stack
  await server.query("INSERT INTO demo.salaries VALUES (2, 'written while the master key is disabled')")
  await server.query('CREATE TABLE demo.more (who INT PRIMARY KEY) ENGINE=InnoDB ENCRYPTION_KEY_ID=3')
  await server.query('FLUSH BINARY LOGS')
  const [row] = await server.query('SELECT COUNT(*) AS n FROM demo.salaries')
  demand(Number(row?.['n']) === 2, 'both rows are read')
  demand((await server.query('SHOW BINARY LOGS')).length >= 3, 'the binary log goes on')
  return 'inserted, created a table, rotated the binary log, read everything'
}

async function failToRestart(stack: Stack): Promise<string[]> {
  await stack.stopServer()
  await stack.agent.stop()
  await stack.startAgent()
  const told = await waitForLog(stack.agent, (line) => line.includes('is disabled'))
  const failure = await stack.startServer().then(
    () => undefined,
    (error: unknown) => messageOf(error),
  )
  demand(failure !== undefined, 'mariadbd does not start')
  demand(told.includes(stack.masterKeyArn), 'the agent names the master key')
  return [`the agent: ${told}`, ...`the server: ${failure ?? ''}`.split('\n').slice(0, 4)]
}

async function restart(stack: Stack): Promise<string[]> {
  await asAdministrator(stack, (kms) => kms.send(new EnableKeyCommand({ KeyId: stack.masterKeyArn })))
  const ready = await waitForLog(stack.agent, (line) => line.startsWith('ready'))
  const server = await stack.startServer()
  const rows = await server.query('SELECT who, note FROM demo.salaries ORDER BY who')
  demand(rows[0]?.['note'] === marker && rows.length === 2, 'the rows are there')
  return [
    `the agent, by itself: ${ready}`,
    ...rows.map((row) => `row ${String(row['who'])}: ${String(row['note'])}`),
  ]
}

function readAuditTrail(stack: Stack): string[] {
  const lines = auditLines(join(stack.kmsDirectory, 'audit-trail.jsonl'))
  demand(
    lines.some((line) => /mariadb +Decrypt/.test(line)),
    'the user is named',
  )
  return lines
}

async function asAdministrator<T>(stack: Stack, act: (kms: KMSClient) => Promise<T>): Promise<void> {
  const kms = kmsClient(stack.administrator)
  try {
    await act(kms)
  } finally {
    kms.destroy()
  }
}

async function refusalOf(attempt: Promise<unknown>): Promise<string> {
  const refusal = await attempt.then(
    () => undefined,
    (error: unknown) => messageOf(error),
  )
  demand(refusal !== undefined, 'it is refused')
  return refusal?.split('\n')[0] ?? ''
}

function demand(held: boolean, what: string): void {
  if (!held) throw new StrongroomError('SR_DEMO_FAILED', `this did not hold: ${what}`)
}
