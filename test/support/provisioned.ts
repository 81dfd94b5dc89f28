import { join } from 'node:path'
import { AwsAccess } from '../../src/aws/access.ts'
import type { Call } from '../../src/provisioning/calls.ts'
import { carryOut } from '../../src/provisioning/carry-out.ts'
import { CredentialsFile } from '../../src/provisioning/credentials-file.ts'
import type { Plan } from '../../src/provisioning/plan.ts'
import { prepare, type ProvisionOptions } from '../../src/provisioning/provision.ts'
import type { Wishes } from '../../src/provisioning/wishes.ts'
import type { Credentials, TestService } from './kms-service.ts'

export const keyringId = '00112233445566778899aabbccddeeff'

export const wishes: Wishes = {
  server: 'db1',
  identity: { kind: 'user', name: 'strongroom-db1' },
  alias: 'alias/strongroom-db1',
  keyring: { context: 'bound', id: keyringId },
  administrators: [],
  access: 'standing',
  requiresMfa: false,
  mayRewrap: false,
}

export interface ProvisionedServer {
  readonly plan: Plan
  readonly calls: readonly Call[]
  readonly keyArn: string
  /** Of the user. */
  readonly credentials: Credentials
  readonly file: CredentialsFile
}

/** A caller of a service's, the root user by default. Requests are sent once. */
export function accessTo(service: TestService, credentials?: Credentials, endpointUrl?: string): AwsAccess {
  const { endpoint, region, credentials: caller } = service.clientConfig(credentials)
  return new AwsAccess({ credentials: caller, region, endpointUrl: endpointUrl ?? endpoint, attempts: 1 })
}

/** Does what `strongroom provision` does, up to the proof. */
export async function provisionServer(
  service: TestService,
  {
    as: access = accessTo(service),
    file = new CredentialsFile(join(service.directory, 'db1.credentials')),
    patience = 0,
    ...options
  }: Partial<Wishes & ProvisionOptions> & { as?: AwsAccess; patience?: number } = {},
): Promise<ProvisionedServer> {
  const { newAccessKey = false, adopt = false, ...wished } = options
  const isUser = (wished.identity ?? wishes.identity).kind === 'user'
  const prepared = await prepare({ ...wishes, ...wished }, { file, newAccessKey, adopt }, access)
  const { plan, calls, found } = prepared
  const madeArn = await carryOut(calls, {
    access,
    once: access,
    file: isUser ? file : undefined,
    accessKeyIds: found.identity?.accessKeys.map(({ id }) => id) ?? [],
    patience,
    onDone: () => undefined,
    onWait: () => undefined,
  })
  const held = isUser ? file.read() : undefined
  return {
    plan,
    calls,
    keyArn: madeArn ?? found.masterKey?.arn ?? '',
    credentials: held?.state === 'whole' ? held.credentials : { accessKeyId: '', secretAccessKey: '' },
    file,
  }
}
