import { CreateVirtualMFADeviceCommand, EnableMFADeviceCommand, type IAMClient } from '@aws-sdk/client-iam'
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  type Credentials as IssuedCredentials,
  GetSessionTokenCommand,
  type GetSessionTokenCommandInput,
} from '@aws-sdk/client-sts'
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { Authenticator } from './authenticator.ts'
import type { Statement } from './identities.ts'
import { type Credentials, startTestService, type TestService } from './kms-service.ts'

/** A device of the user's (or of the root user's, named by ARN) whose codes of now and before are used up. */
export interface EnabledDevice {
  readonly serialNumber: string
  readonly app: Authenticator
}

export async function enableDevice(
  iam: IAMClient,
  UserName: string,
  VirtualMFADeviceName: string,
): Promise<EnabledDevice> {
  const { VirtualMFADevice } = await iam.send(new CreateVirtualMFADeviceCommand({ VirtualMFADeviceName }))
  assert.ok(VirtualMFADevice?.SerialNumber !== undefined)
  const { SerialNumber } = VirtualMFADevice
  const app = new Authenticator(Buffer.from(VirtualMFADevice.Base32StringSeed ?? []).toString())
  await iam.send(new EnableMFADeviceCommand({ UserName, SerialNumber, ...app.pair(new Date()) }))
  return { serialNumber: SerialNumber, app }
}

export async function getSession(
  service: TestService,
  caller: Credentials | undefined,
  input: GetSessionTokenCommandInput = {},
): Promise<Credentials> {
  const answer = await service.sts(caller).send(new GetSessionTokenCommand(input))
  return usable(answer.Credentials)
}

export async function assume(
  service: TestService,
  caller: Credentials,
  input: Partial<AssumeRoleCommandInput> & { RoleArn: string },
): Promise<Credentials> {
  const command = new AssumeRoleCommand({ RoleSessionName: 'shift', ...input })
  return usable((await service.sts(caller).send(command)).Credentials)
}

export function usable(issued: IssuedCredentials | undefined): Credentials {
  assert.ok(issued?.AccessKeyId !== undefined)
  assert.ok(issued.SecretAccessKey !== undefined && issued.SessionToken !== undefined)
  return {
    accessKeyId: issued.AccessKeyId,
    secretAccessKey: issued.SecretAccessKey,
    sessionToken: issued.SessionToken,
  }
}

/** The role `operator` with some trust policy, and alice, who has no policies. */
export interface Operator {
  readonly service: TestService
  readonly alice: Credentials
  /** By default as alice, and the role `operator`. */
  readonly assume: (input?: Partial<AssumeRoleCommandInput>, caller?: Credentials) => Promise<Credentials>
}

export async function startWithOperator(
  t: TestContext,
  trust: readonly Statement[],
  ...may: readonly Statement[]
): Promise<Operator> {
  const service = await startTestService(t)
  const alice = await service.makeUser('alice')
  const operator = await service.makeRole('operator', trust, ...may)
  return {
    service,
    alice,
    assume: (input = {}, caller = alice) =>
      assume(service, caller, { ...input, RoleArn: input.RoleArn ?? operator }),
  }
}

/** The time of day, service and clients included, is what the test says; it stands still in between. */
export function setClock(t: TestContext): (seconds: number) => void {
  const start = Date.parse('2026-03-01T12:00:00Z')
  t.mock.timers.enable({ apis: ['Date'], now: start })
  return (seconds) => {
    t.mock.timers.setTime(start + seconds * 1000)
  }
}
