import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { join } from 'node:path'
import { test } from 'node:test'
import { agentStack, vaultOf } from '../support/running-stack.ts'
import { keyAnswer, keyOutcome } from '../support/key-client.ts'
import { readKeyBody } from '../support/vault-client.ts'

test('with a certificate the Vault listener speaks TLS, also at an address that is not loopback', async (t) => {
  const stack = await agentStack()
  t.after(() => stack.remove())
  const plain = await keyAnswer(stack, 1)
  await stack.agent.stop()
  const certificate = join(stack.agentDirectory, 'tls.crt')
  const key = join(stack.agentDirectory, 'tls.key')
  execFileSync(
    'openssl',
    [
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:prime256v1',
      '-nodes',
      '-days',
      '2',
      '-subj',
      '/CN=localhost',
      '-addext',
      'subjectAltName=IP:127.0.0.1',
      '-keyout',
      key,
      '-out',
      certificate,
    ],
    { stdio: 'ignore' },
  )
  const configFile = join(stack.agentDirectory, 'agent.conf')
  const withTls = readFileSync(configFile, 'utf8')
    .replace('listen = 127.0.0.1:', 'listen = 0.0.0.0:')
    .replace('[keyring', `tls-certificate = ${certificate}\ntls-key = ${key}\n[keyring`)
  writeFileSync(configFile, withTls)

  await stack.startAgent()

  assert.match(stack.agent.url, /^https:\/\/0\.0\.0\.0:\d+$/)
  const unencrypted = vaultOf(stack)
  const url = unencrypted.url.replace('http:', 'https:')
  const { version, bytes } = readKeyBody(await askWithTls(`${url}/data/1`, unencrypted.token, certificate))
  assert.equal(`${version}:${bytes.toString('hex')}`, plain)
  assert.equal(await keyOutcome(stack, 1), 'unavailable')
})

async function askWithTls(url: string, token: string, certificate: string): Promise<string> {
  return await new Promise((resolve, reject) => {
    const options = { ca: readFileSync(certificate), headers: { 'X-Vault-Token': token }, agent: false }
    get(url, options, (response) => {
      const parts: Buffer[] = []
      response.on('data', (part: Buffer) => parts.push(part))
      response.on('end', () => {
        resolve(Buffer.concat(parts).toString())
      })
    }).on('error', reject)
  })
}
