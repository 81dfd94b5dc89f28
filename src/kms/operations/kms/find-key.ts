import { aliasArn, isKeyId, keyArn, parseKmsArn } from '../../arn.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import type { Key } from '../../state/keys.ts'
import type { State } from '../call.ts'

/** A key as a request names it. */
export interface NamedKey {
  readonly key: Key
  /** `alias/…`, when the request names the key by an alias. */
  readonly requestAlias: string | undefined
}

/**
 * The key of a key id, key ARN, alias name or alias ARN; throws NotFoundException.
 * As at Amazon, that a key does not exist is told to everybody who can sign, before permissions: ids can't be guessed.
 */
export function findKey(name: string, state: State): NamedKey {
  const resource = resourceOf(name, state)
  if (!resource.startsWith('alias/'))
    return { key: keyWithId(resource, name, state), requestAlias: undefined }
  const keyId = state.aliases.keyIdOf(resource)
  if (keyId === undefined) {
    throw notFound(`Alias ${aliasArn(state.account, resource)} is not found.`)
  }
  return { key: keyWithId(keyId, name, state), requestAlias: resource }
}

/** The key of a key id or key ARN, for the operations that take no alias. */
export function findKeyWithoutAlias(name: string, state: State): Key {
  const resource = resourceOf(name, state)
  if (resource.startsWith('alias/')) throw notFound(`Invalid keyId '${name}'`)
  return keyWithId(resource, name, state)
}

/** `alias/NAME` or a key id, out of any of the four forms. */
function resourceOf(name: string, { account }: State): string {
  if (!name.startsWith('arn:')) return name
  const arn = parseKmsArn(name)
  if (arn === undefined) throw notFound(`Invalid arn ${name}`)
  if (arn.region !== account.region) throw notFound(`Invalid arn ${arn.region}`)
  if (arn.accountId !== account.accountId) throw notFound(`Key '${name}' does not exist`)
  return arn.resource.startsWith('key/') ? arn.resource.slice('key/'.length) : arn.resource
}

function keyWithId(keyId: string, name: string, state: State): Key {
  if (!isKeyId(keyId)) throw notFound(`Invalid keyId '${name}'`)
  const key = state.keys.get(keyId)
  if (key === undefined) throw notFound(`Key '${keyArn(state.account, keyId)}' does not exist`)
  return key
}

function notFound(message: string): AwsException {
  return new AwsException('NotFoundException', message)
}
