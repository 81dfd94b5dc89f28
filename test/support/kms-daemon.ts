import { KMSClient } from '@aws-sdk/client-kms'
import type { Daemon } from '../../src/cli/demo/daemon.ts'
import { readRootAccessKey } from './kms-service.ts'

/** A client of a daemon's root user. */
export function rootClient(daemon: Daemon, dataDirectory: string): KMSClient {
  const credentials = readRootAccessKey(dataDirectory)
  return new KMSClient({ endpoint: daemon.url, region: 'us-east-1', credentials, maxAttempts: 1 })
}
