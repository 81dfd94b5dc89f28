import assert from 'node:assert/strict'
import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { z } from 'zod'
import { AwsAccess } from '../../src/aws/access.ts'
import { startKms } from './kms-process.ts'
import { readRootAccessKey } from './kms-service.ts'
import { scratchDirectory } from './scratch.ts'
import { program, type Run } from './strongroom.ts'
import { until } from './until.ts'

/** For tests: a KMS service as a process, and an administrator's shell. */
export interface ProvisioningSite {
  readonly directory: string
  readonly url: string
  readonly environment: NodeJS.ProcessEnv
  readonly root: AwsAccess
  readonly provision: (...args: string[]) => Promise<Run>
  readonly result: (...args: string[]) => Promise<z.infer<typeof result>>
}

const proof = z.object({
  who: z.enum(['server', 'administrator']),
  action: z.string(),
  expected: z.string(),
  found: z.string(),
})
const result = z.object({
  identity: z.object({ arn: z.string() }),
  masterKey: z.object({ arn: z.string(), alias: z.string() }),
  keyringId: z.string(),
  accessKeyId: z.string(),
  calls: z.array(z.object({ service: z.string(), operation: z.string() })),
  proofs: z.array(proof),
  nextSteps: z.array(z.string()),
})

export async function provisioningSite(t: TestContext): Promise<ProvisioningSite> {
  const directory = scratchDirectory(t)
  const kms = await startKms(t, { directory: join(directory, 'kms') })
  const environment = {
    ...process.env,
    AWS_SHARED_CREDENTIALS_FILE: join(directory, 'kms/root-access-key'),
    AWS_REGION: 'us-east-1',
    AWS_DEFAULT_REGION: 'us-east-1',
    AWS_EC2_METADATA_DISABLED: 'true',
  }
  const credentials = readRootAccessKey(join(directory, 'kms'))
  const root = new AwsAccess({ credentials, region: 'us-east-1', endpointUrl: kms.url })
  t.after(() => {
    root.close()
  })
  const provision = (...args: string[]) =>
    run(program, ['provision', ...args, '--endpoint-url', kms.url], environment)
  return {
    directory,
    url: kms.url,
    environment,
    root,
    provision,
    async result(...args) {
      const { code, stdout, stderr } = await provision(...args, '--yes', '--json')
      assert.equal(code, 0, stderr)
      return result.parse(JSON.parse(stdout))
    },
  }
}

export async function run(file: string, args: readonly string[], env: NodeJS.ProcessEnv): Promise<Run> {
  return await new Promise((resolve) => {
    execFile(file, args, { env }, (error, stdout, stderr) => {
      const code = typeof error?.code === 'number' ? error.code : error === null ? 0 : -1
      resolve({ code, stdout, stderr })
    })
  })
}

export function requireProved({ proofs }: { proofs: readonly z.infer<typeof proof>[] }): void {
  assert.deepEqual(
    proofs.filter(({ expected, found }) => expected !== found),
    [],
  )
  assert.ok(proofs.length > 30)
  assert.ok(proofs.some(({ who, action }) => who === 'administrator' && action === 'kms:Decrypt'))
}

/** A database host as `provision` says: an agent that runs, and its configuration. */
export interface ProvisionedHost {
  readonly config: string
  /** `strongroom keys create KEY_ID`: a data key is wrapped and unwrapped. */
  readonly createKey: (keyId: number) => Promise<Run>
}

export async function provisionedHost(
  t: TestContext,
  { directory, url, environment }: ProvisioningSite,
  keyring: Readonly<Record<string, string>>,
): Promise<ProvisionedHost> {
  mkdirSync(join(directory, 'data'), { recursive: true })
  writeFileSync(join(directory, 'token'), `${'t'.repeat(40)}\n`, { mode: 0o600 })
  const config = join(directory, 'agent.conf')
  const socket = join(directory, 'admin.sock')
  const lines = [
    '[agent]',
    `admin-socket = ${socket}`,
    '[vault-listener]',
    'listen = 127.0.0.1:0',
    '[keyring mariadb]',
    `store = directory:${join(directory, 'data')}`,
    'region = us-east-1',
    `endpoint-url = ${url}`,
    'token-file = token',
    ...Object.entries(keyring).map(([name, value]) => `${name} = ${value}`),
  ]
  writeFileSync(config, `${lines.join('\n')}\n`)
  const agent = spawn(program, ['agent', '--config', config], { stdio: 'ignore' })
  t.after(async () => {
    const ended = once(agent, 'exit')
    if (agent.kill()) await ended
  })
  await until('the agent listens', () => existsSync(socket))
  return {
    config,
    createKey: (keyId) => run(program, ['keys', 'create', String(keyId), '--config', config], environment),
  }
}
