import { IAMClient } from '@aws-sdk/client-iam'
import { KMSClient } from '@aws-sdk/client-kms'
import { STSClient } from '@aws-sdk/client-sts'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, type TestContext } from 'node:test'
import type { KmsServiceOptions } from '../../src/kms/options.ts'
import { type KmsService, openKmsService } from '../../src/kms/service.ts'
import { makeRole, makeUser, type Statement } from './identities.ts'

/** For tests: a service on a scratch directory, in this process, behind a real socket. */
export interface TestService {
  /** The service that runs now. */
  readonly current: KmsService
  readonly directory: string
  readonly clientConfig: (credentials?: Credentials) => ClientConfig
  readonly kms: (credentials?: Credentials) => KMSClient
  readonly iam: (credentials?: Credentials) => IAMClient
  readonly sts: (credentials?: Credentials) => STSClient
  /** A user with one inline policy of these statements and an access key: see `identityPolicy`. */
  readonly makeUser: (userName: string, ...statements: Statement[]) => Promise<Credentials>
  /** A role that `trust` lets assume, with one inline policy of these statements; returns its ARN. */
  readonly makeRole: (
    roleName: string,
    trust: readonly Statement[],
    ...statements: Statement[]
  ) => Promise<string>
  /** The records of the audit trail so far. */
  readonly trail: () => Record<string, unknown>[]
  /** Closes the service and opens its directory again; in between `whileClosed` runs. */
  readonly reopen: (whileClosed?: () => void) => Promise<void>
}

/** What the constructors of the AWS SDK's clients take. */
export interface ClientConfig {
  readonly endpoint: string
  readonly region: string
  readonly credentials: Credentials
  readonly maxAttempts: number
}

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of temporary credentials. */
  readonly sessionToken?: string
}

export async function startTestService(
  t: TestContext,
  options: Partial<KmsServiceOptions> = {},
): Promise<TestService> {
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-kms-'))
  const open = (): Promise<KmsService> =>
    openKmsService({ listen: '127.0.0.1:0', ...options, dataDirectory: directory })
  let current = await open().catch((error: unknown) => {
    rmSync(directory, { recursive: true })
    throw error
  })
  t.after(async () => {
    await current.close()
    rmSync(directory, { recursive: true })
  })
  const clientConfig = (credentials = readRootAccessKey(directory)): ClientConfig => ({
    endpoint: current.url,
    region: current.region,
    credentials,
    maxAttempts: 1,
  })
  // Clients would set their clocks by the Date header of answers, which has the true time, whatever time a test sets.
  const ofTests = (credentials?: Credentials) => ({
    ...clientConfig(credentials),
    disableClockSkewCorrection: true,
  })
  return {
    get current() {
      return current
    },
    directory,
    clientConfig,
    kms: (credentials) => new KMSClient(ofTests(credentials)),
    iam: (credentials) => new IAMClient(ofTests(credentials)),
    sts: (credentials) => new STSClient(ofTests(credentials)),
    makeUser: (userName, ...statements) => makeUser(new IAMClient(ofTests()), userName, statements),
    makeRole: (roleName, trust, ...statements) =>
      makeRole(new IAMClient(ofTests()), roleName, { trust, statements }),
    trail: () => readTrail(directory),
    async reopen(whileClosed = () => undefined) {
      await current.close()
      whileClosed()
      current = await open()
    },
  }
}

export function readTrail(directory: string): Record<string, unknown>[] {
  return readFileSync(join(directory, 'audit-trail.jsonl'), 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((line) => {
      const record: unknown = JSON.parse(line)
      if (typeof record !== 'object' || record === null) throw new Error(`not a record: ${line}`)
      // Where it stands in the chain is another matter.
      return Object.fromEntries(Object.entries(record).filter(([name]) => name !== 'chain'))
    })
}

export function readRootAccessKey(directory: string): Credentials {
  const text = readFileSync(join(directory, 'root-access-key'), 'utf8')
  const value = (name: string): string => new RegExp(`^${name} = (.+)$`, 'm').exec(text)?.[1] ?? ''
  return { accessKeyId: value('aws_access_key_id'), secretAccessKey: value('aws_secret_access_key') }
}

/** Puts `datasync` in the place of every open file's; returns how to undo it, and how often it was called. */
export async function replaceDatasync(
  datasync: (() => Promise<undefined>) | undefined,
): Promise<{ restore: () => void; calls: () => number }> {
  const handle = await open('/dev/null')
  await handle.close()
  const prototype: unknown = Object.getPrototypeOf(handle)
  if (!isFileHandle(prototype)) throw new Error('file handles have no datasync')
  const replaced =
    datasync === undefined ? mock.method(prototype, 'datasync') : mock.method(prototype, 'datasync', datasync)
  return {
    restore() {
      replaced.mock.restore()
    },
    calls: () => replaced.mock.callCount(),
  }
}

function isFileHandle(value: unknown): value is FileHandle {
  return typeof value === 'object' && value !== null && 'datasync' in value
}
