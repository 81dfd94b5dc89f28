import { createHash, randomBytes } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import { join } from 'node:path'
import { z } from 'zod'
import { type Credentials, readRootAccessKey, type TestService } from '../support/kms-service.ts'
import { audience, type Issuer } from '../support/oidc-issuer.ts'
import { wrapMaterial } from '../support/kms-keys.ts'
import { sign } from '../support/signer.ts'

export type Members = Record<string, unknown>

export interface Reply {
  /** `ok`, or the exception's name. */
  readonly outcome: string
  readonly members: Members
}

/** A key that a case may do with as it likes. */
export interface CaseKey {
  readonly keyId: string
  readonly arn: string
  readonly aliasName: string
  readonly aliasArn: string
  /** 32 bytes, encrypted under the key with the context `{purpose: 'test'}`; empty for a key that never had material. */
  readonly blob: string
}

export type KeySituation =
  'Enabled' | 'Disabled' | 'PendingDeletion' | 'PendingImport' | 'Unavailable' | 'imported' | 'multi-Region'

export const context = { purpose: 'test' }
export const accountId = '111122223333'
export const rootArn = `arn:aws:iam::${accountId}:root`
export const homeRegion = 'us-east-1'
export const otherRegion = 'eu-west-1'
/** A port that nobody listens on. */
const awayIssuer = 'https://127.0.0.1:1'
const formHeaders = { 'content-type': 'application/x-www-form-urlencoded' }
const texts = z.record(z.string(), z.string())

/** The service that all cases ask, over HTTP with requests signed by AWS's own signer. */
export class World {
  readonly #service: TestService
  readonly #root: Credentials
  readonly #unavailable: CaseKey[] = []

  /** Of the provider whose tokens are good. */
  readonly issuer: Issuer
  #roles = 0

  constructor(service: TestService, issuer: Issuer) {
    this.#service = service
    this.issuer = issuer
    this.#root = readRootAccessKey(service.directory)
  }

  /** Asks KMS; as root unless `caller` says otherwise. */
  async ask(
    operation: string,
    members: Members,
    { caller = this.#root, region = homeRegion }: { caller?: Credentials; region?: string } = {},
  ): Promise<Reply> {
    const response = await this.#send('kms', region, caller, {
      body: JSON.stringify(members),
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': `TrentService.${operation}` },
    })
    const text = await response.text()
    const answer = text === '' ? {} : z.record(z.string(), z.unknown()).parse(JSON.parse(text))
    if (response.status === 200) return { outcome: 'ok', members: answer }
    return { outcome: z.string().parse(answer['__type']), members: answer }
  }

  /** As `ask`, for what has to succeed. */
  async must(operation: string, members: Members, options: { region?: string } = {}): Promise<Members> {
    const { outcome, members: answer } = await this.ask(operation, members, options)
    if (outcome !== 'ok') throw new Error(`${operation}: ${outcome} ${JSON.stringify(answer)}`)
    return answer
  }

  /** A new user with one inline policy (none when left out), and credentials of it. */
  async user(name: string, policy?: object): Promise<{ arn: string; credentials: Credentials }> {
    await this.#iam({ Action: 'CreateUser', UserName: name })
    if (policy !== undefined) {
      const PolicyDocument = JSON.stringify(policy)
      await this.#iam({ Action: 'PutUserPolicy', UserName: name, PolicyName: 'p', PolicyDocument })
    }
    const made = await this.#iam({ Action: 'CreateAccessKey', UserName: name })
    const value = (tag: string): string => new RegExp(`<${tag}>([^<]+)</${tag}>`).exec(made)?.[1] ?? ''
    return {
      arn: `arn:aws:iam::${accountId}:user/${name}`,
      credentials: { accessKeyId: value('AccessKeyId'), secretAccessKey: value('SecretAccessKey') },
    }
  }

  /** A key of its own for one case. */
  async key(situation: KeySituation, policy?: object): Promise<CaseKey> {
    if (situation === 'Unavailable')
      return this.#unavailable.pop() ?? fail('there are too few Unavailable keys')
    const key = await this.#newKey(situation, policy)
    await this.bringTo(situation, key)
    return key
  }

  /** From the state Enabled. */
  async bringTo(state: KeySituation, { keyId: KeyId }: CaseKey): Promise<void> {
    if (state === 'Disabled') await this.must('DisableKey', { KeyId })
    if (state === 'PendingDeletion') await this.must('ScheduleKeyDeletion', { KeyId })
    if (state === 'PendingImport') await this.must('DeleteImportedKeyMaterial', { KeyId })
  }

  /** What ImportKeyMaterial takes, for a key with the origin EXTERNAL. */
  async importMembers(keyId: string): Promise<Members> {
    const parameters = await this.must('GetParametersForImport', {
      KeyId: keyId,
      WrappingAlgorithm: 'RSAES_OAEP_SHA_256',
      WrappingKeySpec: 'RSA_2048',
    })
    const text = (name: string): string => z.string().parse(parameters[name])
    // The same for each key, so that it can be imported again.
    const material = createHash('sha256').update(keyId).digest()
    const wrapped = wrapMaterial(Buffer.from(text('PublicKey'), 'base64'), material)
    return {
      KeyId: keyId,
      ImportToken: text('ImportToken'),
      EncryptedKeyMaterial: wrapped.toString('base64'),
      ExpirationModel: 'KEY_MATERIAL_DOES_NOT_EXPIRE',
    }
  }

  /** Keys whose row was altered behind the service's back, which takes a restart. */
  async prepareUnavailable(count: number): Promise<void> {
    const keys: CaseKey[] = []
    for (let n = 0; n < count; n++) keys.push(await this.#newKey('Enabled'))
    await this.#service.reopen(() => {
      const database = new DatabaseSync(join(this.#service.directory, 'kms.db'))
      const alter = database.prepare("UPDATE keys SET state_tag = x'00' WHERE key_id = ?")
      for (const { keyId } of keys) alter.run(keyId)
      database.close()
    })
    this.#unavailable.push(...keys)
  }

  /** Registers the issuer, and one that is away. */
  async prepareProviders(): Promise<void> {
    const { url: Url, thumbprint } = this.issuer
    const client = { 'ClientIDList.member.1': audience }
    await this.#iam({
      Action: 'CreateOpenIDConnectProvider',
      ...{ Url, 'ThumbprintList.member.1': thumbprint, ...client },
    })
    await this.#iam({ Action: 'CreateOpenIDConnectProvider', Url: awayIssuer, ...client })
  }

  /** Good, as far as anybody can tell. */
  awayToken(): string {
    return this.issuer.token({ iss: awayIssuer })
  }

  /** A new role that trusts the issuer, with what else the statement has; returns its ARN. */
  async federatedRole(statement: object = {}): Promise<string> {
    const RoleName = `federated-${String(++this.#roles)}`
    const trust = {
      Effect: 'Allow',
      Principal: { Federated: this.issuer.arn },
      Action: 'sts:AssumeRoleWithWebIdentity',
      ...statement,
    }
    const AssumeRolePolicyDocument = JSON.stringify({ Version: '2012-10-17', Statement: trust })
    await this.#iam({ Action: 'CreateRole', RoleName, AssumeRolePolicyDocument })
    return `arn:aws:iam::${accountId}:role/${RoleName}`
  }

  /** Asks IAM as root; `ok` or the error's code. */
  async askIam(form: Members): Promise<string> {
    const body = new URLSearchParams({ Version: '2010-05-08', ...texts.parse(form) }).toString()
    return await codeOf(await this.#send('iam', homeRegion, this.#root, { body, headers: formHeaders }))
  }

  /** Asks STS without a signature. */
  async askWithToken(form: Members): Promise<string> {
    const body = new URLSearchParams({ Version: '2011-06-15', ...texts.parse(form) }).toString()
    return await codeOf(
      await fetch(this.#service.current.url, { method: 'POST', headers: formHeaders, body }),
    )
  }

  async #newKey(situation: KeySituation, policy?: object): Promise<CaseKey> {
    const external = situation === 'PendingImport' || situation === 'imported'
    const { KeyMetadata } = await this.must('CreateKey', {
      ...(external ? { Origin: 'EXTERNAL' } : {}),
      ...(situation === 'multi-Region' ? { MultiRegion: true } : {}),
    })
    const { KeyId: keyId, Arn: arn } = z.object({ KeyId: z.string(), Arn: z.string() }).parse(KeyMetadata)
    if (external) await this.must('ImportKeyMaterial', await this.importMembers(keyId))
    const aliasName = `alias/${randomBytes(8).toString('hex')}`
    await this.must('CreateAlias', { AliasName: aliasName, TargetKeyId: keyId })
    const { CiphertextBlob } = await this.must('Encrypt', {
      KeyId: keyId,
      Plaintext: randomBytes(32).toString('base64'),
      EncryptionContext: context,
    })
    if (policy !== undefined) {
      await this.must('PutKeyPolicy', {
        KeyId: keyId,
        Policy: JSON.stringify(policy),
        BypassPolicyLockoutSafetyCheck: true,
      })
    }
    return {
      keyId,
      arn,
      aliasName,
      aliasArn: `arn:aws:kms:${homeRegion}:${accountId}:${aliasName}`,
      blob: z.string().parse(CiphertextBlob),
    }
  }

  async #iam(form: Record<string, string>): Promise<string> {
    const response = await this.#send('iam', homeRegion, this.#root, {
      body: new URLSearchParams({ Version: '2010-05-08', ...form }).toString(),
      headers: formHeaders,
    })
    const text = await response.text()
    if (response.status !== 200) throw new Error(`${form['Action'] ?? ''}: ${text}`)
    return text
  }

  async #send(
    service: string,
    region: string,
    credentials: Credentials,
    { body, headers }: { body: string; headers: Record<string, string> },
  ): Promise<Response> {
    const url = new URL(this.#service.current.url)
    const request = { method: 'POST', path: '/', query: {}, headers: { ...headers, host: url.host } }
    const signed = await sign(
      { ...request, body: Buffer.from(body) },
      { credentials, service, region, at: new Date() },
    )
    return await fetch(url, { method: 'POST', headers: signed.headers, body })
  }
}

async function codeOf(response: Response): Promise<string> {
  const text = await response.text()
  return response.status === 200 ? 'ok' : (/<Code>(\w+)<\/Code>/.exec(text)?.[1] ?? text)
}

function fail(message: string): never {
  throw new Error(message)
}
