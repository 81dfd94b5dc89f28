import { IAMClient } from '@aws-sdk/client-iam'
import { KMSClient } from '@aws-sdk/client-kms'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { mock, type TestContext } from 'node:test'
import { type KmsService, type KmsServiceOptions, openKmsService } from '../../src/kms/service.ts'

/** For tests: a service on a scratch directory, in this process, behind a real socket. */
export interface TestService {
  /** The service that runs now. */
  readonly current: KmsService
  readonly directory: string
  readonly clientConfig: (credentials?: Credentials) => ClientConfig
  readonly kms: (credentials?: Credentials) => KMSClient
  readonly iam: (credentials?: Credentials) => IAMClient
  /** The records of the audit trail so far. */
  readonly trail: () => Record<string, unknown>[]
  /** Closes the service and opens its directory again. */
  readonly reopen: () => Promise<void>
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
}

export async function startTestService(
  t: TestContext,
  options: Partial<KmsServiceOptions> = {},
): Promise<TestService> {
  const directory = mkdtempSync(join(tmpdir(), 'strongroom-kms-'))
  const open = (): Promise<KmsService> =>
    openKmsService({ listen: '127.0.0.1:0', ...options, dataDirectory: directory })
  let current = await open()
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
  return {
    get current() {
      return current
    },
    directory,
    clientConfig,
    kms: (credentials) => new KMSClient(clientConfig(credentials)),
    iam: (credentials) => new IAMClient(clientConfig(credentials)),
    trail: () => readTrail(directory),
    async reopen() {
      await current.close()
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
      return { ...record }
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
