import {
  CreateOpenIDConnectProviderCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
} from '@aws-sdk/client-iam'
import { CreateAliasCommand, CreateKeyCommand } from '@aws-sdk/client-kms'
import { AssumeRoleCommand } from '@aws-sdk/client-sts'
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { z } from 'zod'
import { type Daemon, startDaemon } from '../../src/cli/demo/daemon.ts'
import { logMessages } from '../../src/cli/demo/log-lines.ts'
import { type Credentials, startTestService, type TestService } from '../support/kms-service.ts'
import { startContainerMetadata, startInstanceMetadata } from '../support/metadata-endpoints.ts'
import { audience, startIssuer, subject } from '../support/oidc-issuer.ts'
import { PluginClient } from '../support/plugin-client.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { usable } from '../support/sts-session.ts'
import { until } from '../support/until.ts'

/*
 * The standard places of AWS credentials (docs/old-plugin-guide.md), each with an agent of its own that has nothing else. What the
 * KMS's trail says of who made a key tells that it came from there.
 */

const alias = 'alias/mariadb-encryption'
const use = { Action: ['kms:Decrypt', 'kms:GenerateDataKeyWithoutPlaintext'] }
const account = 'arn:aws:iam::111122223333'

test('AWS credentials, from each of their standard places', async (t) => {
  const { service, begin, user, roleArn, session } = await site(t)

  await t.test('the environment', async (t) => {
    const { accessKeyId, secretAccessKey } = user
    const variables = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey }
    const agent = await begin(t, { environment: { ...variables, AWS_REGION: 'us-east-1' } })
    assert.equal(await agent.makeKey(1), `${account}:user/MDBEnc`)
  })

  await t.test('.aws/credentials of its home, which may come late and be renewed', async (t) => {
    const agent = await begin(t, {})
    await agent.refusal(1, /not known in which region the KMS is/)
    write(join(agent.home, '.aws/config'), '[default]\nregion = us-east-1\n')
    await agent.refusal(1, /no AWS credentials were to be had from the places where AWS's tools look \(/)
    const file = join(agent.home, '.aws/credentials')
    write(file, `[default]\n${keyLines(user)}region = us-east-1\n`)
    assert.equal(await agent.makeKey(1), `${account}:user/MDBEnc`)

    const other = await service.makeUser('another', use)
    write(file, `[default]\n${keyLines(other)}region = us-east-1\n`)
    await agent.makeKeyAs(`${account}:user/another`)
  })

  await t.test('shared files, by a profile', async (t) => {
    const agent = await begin(t, {
      keyring: 'profile = databases',
      environment: { AWS_CONFIG_FILE: join(scratchDirectory(t), 'config') },
      files: ({ AWS_CONFIG_FILE = '' }) => {
        write(
          AWS_CONFIG_FILE,
          `[default]\nregion = eu-west-1\n[profile databases]\n${keyLines(user)}region = us-east-1\n`,
        )
      },
    })
    assert.equal(await agent.makeKey(1), `${account}:user/MDBEnc`)
  })

  await t.test('a named file, which has the region as well', async (t) => {
    const agent = await begin(t, {
      keyring: 'credentials-file = credentials',
      files: (_, directory) => {
        write(join(directory, 'credentials'), `[default]\n${keyLines(user)}region = us-east-1\n`)
      },
    })
    assert.equal(await agent.makeKey(1), `${account}:user/MDBEnc`)
  })

  await t.test('a profile with a role', async (t) => {
    const agent = await begin(t, {
      keyring: 'credentials-file = credentials',
      environment: { AWS_ENDPOINT_URL_STS: service.current.url },
      files: (_, directory) => {
        const role = `role_arn = ${roleArn}\nrole_session_name = profile\nsource_profile = user\n`
        write(
          join(directory, 'credentials'),
          `[default]\n${role}region = us-east-1\n[user]\n${keyLines(user)}`,
        )
      },
    })
    assert.equal(await agent.makeKey(1), session('profile'))
  })

  await t.test('credential_process', async (t) => {
    const agent = await begin(t, {
      files: (_, directory) => {
        const { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey } = user
        write(join(directory, 'answer'), JSON.stringify({ Version: 1, AccessKeyId, SecretAccessKey }))
        const command = `credential_process = /bin/cat ${join(directory, 'answer')}\n`
        write(join(directory, 'home/.aws/config'), `[default]\nregion = us-east-1\n${command}`)
      },
    })
    assert.equal(await agent.makeKey(1), `${account}:user/MDBEnc`)
  })

  await t.test('the endpoint of a container, whose token is renewed in its file', async (t) => {
    let token = 'the first token'
    const issue = sessions(service, user, { roleArn, prefix: 'task' })
    const { url, path } = await startContainerMetadata(t, () => token, issue.next)
    const tokenFile = join(scratchDirectory(t), 'token')
    writeFileSync(tokenFile, token)
    const agent = await begin(t, {
      environment: {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `${url}${path}`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: tokenFile,
        AWS_REGION: 'us-east-1',
      },
    })
    assert.match(await agent.makeKey(1), /assumed-role\/mariadb\/task-\d+$/)
    const before = issue.count()
    token = 'the second token'
    writeFileSync(tokenFile, token)
    await agent.makeKeyAs((arn) => Number(/\/task-(\d+)$/.exec(arn)?.[1]) > before)
  })

  await t.test('the metadata of an instance, version 2, whose credentials are renewed in time', async (t) => {
    const { next } = sessions(service, user, { roleArn, prefix: 'i' })
    const { url } = await startInstanceMetadata(t, next)
    const agent = await begin(t, { instanceMetadata: url, environment: { AWS_REGION: 'us-east-1' } })
    const first = await agent.makeKey(1)
    assert.match(first, /assumed-role\/mariadb\/i-\d+$/)
    await agent.makeKeyAs((arn) => arn.includes('/i-') && arn !== first)
  })

  await t.test('with credentials = with-mfa none of them, whatever is there', async (t) => {
    const issue = sessions(service, user, { roleArn, prefix: 'i' })
    const { url } = await startInstanceMetadata(t, issue.next)
    const marker = join(scratchDirectory(t), 'marker')
    const keyring = 'credentials = with-mfa\n[agent]\nadmin-socket = admin.sock\nlog-level = trace'
    const awaited = /no credentials have been handed over .* run `strongroom with-mfa`/
    const profile = `[default]\nregion = us-east-1\ncredential_process = /usr/bin/touch ${marker}\n`
    const { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY } = user
    for (const environment of [{}, { AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_REGION: 'us-east-1' }]) {
      const agent = await begin(t, {
        keyring,
        environment,
        instanceMetadata: url,
        files: (_, directory) => {
          write(join(directory, 'home/.aws/credentials'), profile)
        },
      })
      await agent.refusal(1, awaited)
    }
    assert.equal(issue.count(), 0)
    assert.ok(!existsSync(marker))
  })

  await t.test('a web identity token file, read again when it is needed', async (t) => {
    const issuer = await startIssuer(t)
    const iam = service.iam()
    await iam.send(
      new CreateOpenIDConnectProviderCommand({
        Url: issuer.url,
        ClientIDList: [audience],
        ThumbprintList: [issuer.thumbprint],
      }),
    )
    const makeRole = (sub: string) =>
      service.makeRole(
        'pod',
        [
          {
            Principal: { Federated: issuer.arn },
            Action: 'sts:AssumeRoleWithWebIdentity',
            Condition: { StringEquals: { [`${issuer.name}:aud`]: audience, [`${issuer.name}:sub`]: sub } },
          },
        ],
        use,
      )
    const podArn = await makeRole(subject)
    const tokenFile = join(scratchDirectory(t), 'token')
    writeFileSync(tokenFile, issuer.token())
    const agent = await begin(t, {
      environment: {
        AWS_WEB_IDENTITY_TOKEN_FILE: tokenFile,
        AWS_ROLE_ARN: podArn,
        AWS_ROLE_SESSION_NAME: 'pod-1',
        AWS_ENDPOINT_URL_STS: service.current.url,
        AWS_REGION: 'us-east-1',
      },
    })
    assert.equal(await agent.makeKey(1), 'arn:aws:sts::111122223333:assumed-role/pod/pod-1')

    // What it has is worth nothing after that, long before its end.
    await iam.send(new DeleteRolePolicyCommand({ RoleName: 'pod', PolicyName: 'inline' }))
    await iam.send(new DeleteRoleCommand({ RoleName: 'pod' }))
    await agent.refusal(2, /does not accept the agent's credentials/)
    await makeRole('another subject')
    writeFileSync(tokenFile, issuer.token({ sub: 'another subject' }))
    assert.equal(await agent.makeKey(2), 'arn:aws:sts::111122223333:assumed-role/pod/pod-1')
    iam.destroy()
  })
})

const identity = z.object({ userIdentity: z.object({ arn: z.string() }) })

interface Beginning {
  /** More lines of the keyring. */
  readonly keyring?: string
  readonly environment?: Readonly<Record<string, string>>
  readonly instanceMetadata?: string
  /** Makes what has to be there before, in the agent's directory. */
  readonly files?: (environment: Readonly<Record<string, string>>, directory: string) => void
}

interface Site {
  readonly service: TestService
  /** An agent whose keyring names the master key by its alias, with no credentials but those of `beginning`. */
  readonly begin: (t: TestContext, beginning: Beginning) => Promise<RunningAgent>
  /** MDBEnc, who may use the master key and take the role that may. */
  readonly user: Credentials
  readonly roleArn: string
  /** The ARN of a session of that role. */
  readonly session: (name: string) => string
}

async function site(t: TestContext): Promise<Site> {
  const service = await startTestService(t)
  const kms = service.kms()
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  await kms.send(new CreateAliasCommand({ AliasName: alias, TargetKeyId: KeyMetadata?.KeyId }))
  kms.destroy()
  const user = await service.makeUser('MDBEnc', use, { Action: 'sts:AssumeRole' })
  const roleArn = await service.makeRole('mariadb', [{ Principal: { AWS: `${account}:user/MDBEnc` } }], use)
  return {
    service,
    user,
    roleArn,
    session: (name) => `arn:aws:sts::111122223333:assumed-role/mariadb/${name}`,
    begin: async (t, { keyring = '', environment = {}, instanceMetadata, files }) => {
      const directory = scratchDirectory(t)
      const home = join(directory, 'home')
      for (const folder of ['run', 'keys', 'home']) mkdirSync(join(directory, folder))
      const config = join(directory, 'agent.conf')
      writeFileSync(
        config,
        `[plugin-listener]\ndirectory = run\n[keyring mariadb]\nstore = directory:keys\nmaster-key-id = ${alias}\n` +
          `endpoint-url = ${service.current.url}\n${keyring}\n`,
      )
      files?.(environment, directory)
      const metadata =
        instanceMetadata === undefined
          ? { AWS_EC2_METADATA_DISABLED: 'true' }
          : { AWS_EC2_METADATA_SERVICE_ENDPOINT: instanceMetadata }
      const daemon = await startDaemon({
        args: ['agent', '--config', config],
        directory,
        name: 'agent',
        environment: { HOME: home, ...metadata, ...environment },
      })
      t.after(() => daemon.stop())
      return new RunningAgent(daemon, { home, directory, service })
    },
  }
}

class RunningAgent {
  readonly home: string
  readonly #socket: string
  readonly #daemon: Daemon
  readonly #service: TestService

  constructor(daemon: Daemon, place: { home: string; directory: string; service: TestService }) {
    this.#daemon = daemon
    this.home = place.home
    this.#socket = join(place.directory, 'run/mariadb/agent.sock')
    this.#service = place.service
  }

  /** Has a key made and unwrapped, when that can be done; resolves to the ARN of who did both. */
  async makeKey(keyId: number): Promise<string> {
    let arn: string | undefined
    await until(`key ${keyId} is made`, async () => {
      arn = await this.tryKey(keyId)
      return arn !== undefined
    })
    return arn ?? assert.fail()
  }

  /** undefined: it can't be had now. */
  async tryKey(keyId: number): Promise<string | undefined> {
    const before = this.#service.trail().length
    const client = await PluginClient.connect(this.#socket)
    try {
      if ((await client.getLatest(keyId))?.type !== 'key') return undefined
    } finally {
      client.close()
    }
    const arns = this.#service
      .trail()
      .slice(before)
      .filter(({ eventName }) => eventName === 'Decrypt' || eventName === 'GenerateDataKeyWithoutPlaintext')
      .map((event) => identity.parse(event).userIdentity.arn)
    return arns.at(-1)
  }

  /** Has keys made until one is made by whom it is to be. */
  async makeKeyAs(wanted: string | ((arn: string) => boolean)): Promise<void> {
    let keyId = 100
    await until(`a key is made as ${String(wanted)}`, async () => {
      const arn = await this.tryKey((keyId += 1))
      if (arn === undefined) return false
      return typeof wanted === 'string' ? wanted === arn : wanted(arn)
    })
  }

  /** Asks for a key, and has none, until the agent has logged why. */
  async refusal(keyId: number, why: RegExp): Promise<void> {
    await until(`the agent says ${String(why)}`, async () => {
      assert.equal(await this.tryKey(keyId), undefined)
      return logMessages(this.#daemon).some((message) => why.test(message))
    })
  }
}

/** Sessions of a role, `PREFIX-1` and so on. */
function sessions(
  service: TestService,
  user: Credentials,
  { roleArn, prefix }: { roleArn: string; prefix: string },
): { next: () => Promise<Credentials>; count: () => number } {
  let issued = 0
  const next = async (): Promise<Credentials> => {
    issued += 1
    const sts = service.sts(user)
    const command = new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: `${prefix}-${issued}` })
    const { Credentials: found } = await sts.send(command)
    sts.destroy()
    return usable(found)
  }
  return { next, count: () => issued }
}

function keyLines({ accessKeyId, secretAccessKey }: Credentials): string {
  return `aws_access_key_id = ${accessKeyId}\naws_secret_access_key = ${secretAccessKey}\n`
}

function write(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text, { mode: 0o600 })
}
