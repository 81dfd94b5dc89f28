import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codesFound, examinedWith } from '../../../test/support/doctor.ts'
import {
  configWith,
  exampleToken,
  optionsWith,
  pluginConfig,
  vaultConfig,
} from '../../../test/support/doctor-facts.ts'
import { seen, unseen } from '../looked.ts'
import { serverToken, sharedTokens, vaultListener } from './reach.ts'

const url = 'http://127.0.0.1:8201/v1/mariadb/data/1'

test('a Vault listener: ours hangs up, Vault answers 403, and what gives a key is open', (t) => {
  const config = configWith(t, vaultConfig)
  const codes = (status: number | undefined) =>
    codesFound(vaultListener, examinedWith({ ...config, vaultListener: seen({ url, status }) }))
  assert.deepEqual(codes(undefined), [])
  assert.deepEqual(codes(403), [])
  assert.deepEqual(codes(200), ['SRD_LISTENER_OPEN'])
})

test('what answers something else, or not at all, is not checked', (t) => {
  const config = configWith(t, vaultConfig)
  const other = examinedWith({ ...config, vaultListener: seen({ url, status: 502 }) })
  assert.deepEqual(vaultListener.run(other), [
    { notChecked: `${url} answers 502, which an agent does not: something else may listen there` },
  ])
  const down = examinedWith({ ...config, vaultListener: unseen('nobody answers') })
  assert.deepEqual(vaultListener.run(down), [{ notChecked: 'nobody answers' }])
})

test('a Vault listener that other hosts can reach', (t) => {
  const open = vaultConfig + '[vault-listener]\nlisten = 0.0.0.0:8201\ntls-certificate = a\ntls-key = b\n'
  const host = examinedWith({ ...configWith(t, open), vaultListener: seen({ url, status: undefined }) })
  assert.deepEqual(codesFound(vaultListener, host), ['SRD_LISTENER_NOT_LOCAL'])
  assert.deepEqual(codesFound(vaultListener, examinedWith(configWith(t, pluginConfig))), [])
})

test('a token that another keyring accepts too', (t) => {
  const config = configWith(t, vaultConfig)
  const with2 = (other: string) =>
    examinedWith({
      ...config,
      tokens: new Map([
        ['mariadb', seen([exampleToken])],
        ['second', seen(['another-token-0123456789', other])],
      ]),
    })
  assert.deepEqual(codesFound(sharedTokens, with2(exampleToken)), ['SRD_TOKEN_SHARED'])
  assert.deepEqual(codesFound(sharedTokens, with2('a-third-token-0123456789')), [])
})

test("the option file's token must be one of the token file's", (t) => {
  const config = configWith(t, vaultConfig)
  const host = (accepted: string[]) =>
    examinedWith({
      ...config,
      tokens: new Map([['mariadb', seen(accepted)]]),
      options: optionsWith({ hashicorp_key_management_token: exampleToken }),
    })
  assert.deepEqual(codesFound(serverToken, host(['the-next-token-0123456789', exampleToken])), [])
  const refused = host(['another-token-0123456789'])
  assert.deepEqual(codesFound(serverToken, refused), ['SRD_TOKEN_REFUSED'])
  assert.ok(!JSON.stringify(serverToken.run(refused)).includes(exampleToken))
})
