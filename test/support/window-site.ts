import { DescribeKeyCommand, DisableKeyCommand, type KMSClient } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout } from 'node:timers/promises'
import { newKey } from './kms-keys.ts'
import type { KmsProcess } from './kms-process.ts'
import { type KmsProxy, startKmsProxy } from './kms-proxy.ts'
import { scratchDirectory } from './scratch.ts'
import { until } from './until.ts'
import { dutiesIn, startWindow, type WindowCommand, type WindowPlace } from './window-command.ts'

/** For tests: a disabled master key, and a command's way to it. */
export interface WindowSite extends WindowPlace {
  readonly proxy: KmsProxy
  readonly admin: KMSClient
  readonly key: string
  /** The server of the window is ready once this file is there. */
  readonly readyFile: string
  readonly state: () => Promise<string | undefined>
  readonly open: (...options: string[]) => WindowCommand
  /** `strongroom master-key …` */
  readonly run: (...args: string[]) => WindowCommand
}

export async function windowSite(
  t: TestContext,
  { kms, kmsDirectory }: { kms: KmsProcess; kmsDirectory: string },
): Promise<WindowSite> {
  const directory = scratchDirectory(t)
  const admin = kms.client()
  t.after(() => {
    admin.destroy()
  })
  const { arn: key } = await newKey(admin)
  await patiently(() => admin.send(new DisableKeyCommand({ KeyId: key })))
  const proxy = await startKmsProxy(t, kms.url)
  const readyFile = join(directory, 'ready')
  const place = {
    endpointUrl: proxy.url,
    stateDirectory: join(directory, 'state'),
    credentialsFile: join(kmsDirectory, 'root-access-key'),
  }
  const run = (...args: string[]) => startWindow(t, place, args)
  return {
    ...place,
    proxy,
    admin,
    key,
    readyFile,
    state: () => stateOf(admin, key),
    open: (...options) => run('window', key, '--until-ready', `test -e ${readyFile}`, ...options),
    run,
  }
}

export async function stateOf(kms: KMSClient, KeyId: string): Promise<string | undefined> {
  return (await kms.send(new DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState
}

/** Waits until none of its processes is left, and requires that the key is disabled and nobody has a duty any more. */
export async function requireClosed(site: WindowSite, command: WindowCommand): Promise<void> {
  await until('none of its processes is left', () => command.processes().length === 0)
  assert.equal(await site.state(), 'Disabled')
  assert.deepEqual(dutiesIn(site.stateDirectory), [])
}

/** Where the KMS has quotas they are the test's as well. */
export async function patiently(call: () => Promise<unknown>): Promise<void> {
  for (;;) {
    try {
      await call()
      return
    } catch (error) {
      if (!(error instanceof Error) || error.name !== 'ThrottlingException') throw error
      await setTimeout(50)
    }
  }
}
