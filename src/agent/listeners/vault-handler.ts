import type { IncomingMessage, ServerResponse } from 'node:http'
import { StrongroomError } from '../../errors.ts'
import type { DataKey } from '../../keyring/data-key.ts'
import type { Log } from '../../keyring/log.ts'
import { Sparingly } from '../../keyring/sparingly.ts'
import type { AccessTokens } from '../access-tokens.ts'
import { answerWithin } from './answer-within.ts'
import type { KeySource } from './key-source.ts'
import { VaultAnswers } from './vault-answer.ts'
import { parseVaultPath, type VaultRequest } from './vault-path.ts'

/** One keyring, as the listener offers it: the mount has the keyring's name. */
export interface VaultMount {
  readonly keys: KeySource
  readonly tokens: AccessTokens
}

/** Milliseconds. */
const tellAgainAfter = 600_000

const tuneAnswer = Buffer.from('{"options":{"version":"2"}}')
const noSuchKey = Buffer.from('{"errors":[]}')
const permissionDenied = Buffer.from('{"errors":["permission denied"]}')

/**
 * Answers MariaDB's stock `hashicorp_key_management` plugin as Vault's KV version 2 would. Two rules stand above
 * Vault's manners: a key in memory is always answered, and what can't be answered ends the connection. The plugin
 * then uses its cache; after a 403 or 5xx the server would switch its binary log off for good (rule K3).
 */
export class VaultHandler {
  readonly #mounts: ReadonlyMap<string, VaultMount>
  readonly #log: Log
  readonly #answers = new VaultAnswers()
  readonly #told = new Sparingly(tellAgainAfter)

  constructor(mounts: ReadonlyMap<string, VaultMount>, log: Log) {
    this.#mounts = mounts
    this.#log = log
  }

  /** After the tokens have changed, whoever comes with a wrong one is news again. */
  forgetTold(): void {
    this.#told.forget()
  }

  handle(request: IncomingMessage, response: ServerResponse): void {
    const asked = request.method === 'GET' ? parseVaultPath(request.url ?? '') : undefined
    const mount = asked && this.#mounts.get(asked.mount)
    if (asked === undefined || mount === undefined) {
      send(response, 404, noSuchKey)
    } else if (!mount.tokens.accept(request.headers['x-vault-token'])) {
      this.#refuseStranger(asked, request, response)
    } else if (asked.kind === 'tune') {
      send(response, 200, tuneAnswer)
    } else {
      this.#answerKey(asked, mount.keys, response)
    }
  }

  #answerKey(
    { keyId, version }: { keyId: number; version: number | undefined },
    keys: KeySource,
    response: ServerResponse,
  ): void {
    const held = version === undefined ? keys.latest(keyId) : keys.held(keyId, version)
    if (held !== undefined) {
      send(response, 200, this.#answers.for(held))
    } else {
      const obtained = version === undefined ? keys.obtainLatest(keyId) : keys.obtain(keyId, version)
      void this.#answerLater(response, obtained, keyId)
    }
  }

  async #answerLater(
    response: ServerResponse,
    obtained: Promise<DataKey | undefined>,
    keyId: number,
  ): Promise<void> {
    const deadline = setTimeout(() => {
      if (this.#told.isDue(`late ${keyId}`)) {
        this.#log.warn(
          { keyId },
          `key ${keyId} is not to be had within ${answerWithin} ms: the KMS or the store is slow`,
        )
      }
      hangUp(response)
    }, answerWithin)
    try {
      const key = await obtained
      if (key === undefined) send(response, 404, noSuchKey)
      else send(response, 200, this.#answers.for(key))
    } catch (error) {
      // A StrongroomError is one that the keyring has told the operator of.
      if (!(error instanceof StrongroomError))
        this.#log.error({ err: error }, 'cannot answer a request for a key')
      hangUp(response)
    } finally {
      clearTimeout(deadline)
    }
  }

  /** At its start the plugin may hear a clear "no"; a running server whose token became invalid must not. */
  #refuseStranger(asked: VaultRequest, request: IncomingMessage, response: ServerResponse): void {
    if (this.#told.isDue(`stranger ${asked.mount}`)) {
      this.#log.warn(
        { mount: asked.mount, remote: request.socket.remoteAddress },
        `a request for keyring ${asked.mount} came without a valid token (X-Vault-Token): compare hashicorp-key-management-token with the keyring's token-file`,
      )
    }
    if (asked.kind === 'tune') send(response, 403, permissionDenied)
    else hangUp(response)
  }
}

function send(response: ServerResponse, status: number, body: Buffer): void {
  if (response.destroyed) return
  response.sendDate = false
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': body.length })
  response.end(body)
}

function hangUp(response: ServerResponse): void {
  // Of a pipelined request the response has no socket yet.
  response.req.socket.destroy()
}
