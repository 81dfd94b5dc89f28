import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { test } from 'node:test'
import { RootKey } from './root-key.ts'

const secret = Buffer.from('a secret of 27 bytes, sealed')
const fixedKey = (): RootKey => new RootKey(Buffer.alloc(32, 7))

test('a sealed secret opens for its own row and root key, and not with any byte changed', () => {
  const rootKey = fixedKey()
  const sealed = rootKey.seal(secret, 'row 1')
  assert.deepEqual(fixedKey().unseal(sealed, 'row 1'), secret)
  assert.equal(rootKey.unseal(sealed, 'row 2'), undefined)
  assert.equal(new RootKey(randomBytes(32)).unseal(sealed, 'row 1'), undefined)
  assert.equal(sealed.length, 12 + secret.length + 16)
  for (let at = 0; at < sealed.length; at += 1) {
    const changed = Buffer.from(sealed)
    changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
    assert.equal(rootKey.unseal(changed, 'row 1'), undefined, `byte ${String(at)}`)
  }
  for (const length of [0, 1, 11, 12, 27, 28, sealed.length - 1]) {
    assert.equal(rootKey.unseal(sealed.subarray(0, length), 'row 1'), undefined, `${String(length)} bytes`)
  }
})

test('a tag holds for its row, its content and its root key alone', () => {
  const rootKey = fixedKey()
  const tag = rootKey.tag('key a', Buffer.from('enabled'))
  assert.equal(tag.length, 32)
  assert.equal(fixedKey().isTag(tag, 'key a', Buffer.from('enabled')), true)
  assert.equal(rootKey.isTag(tag, 'key b', Buffer.from('enabled')), false)
  assert.equal(rootKey.isTag(tag, 'key a', Buffer.from('disabled')), false)
  assert.equal(rootKey.isTag(tag, 'key ', Buffer.from('aenabled')), false)
  assert.equal(rootKey.isTag(tag.subarray(0, 31), 'key a', Buffer.from('enabled')), false)
  assert.equal(rootKey.isTag(Buffer.alloc(0), 'key a', Buffer.from('enabled')), false)
  assert.equal(new RootKey(randomBytes(32)).isTag(tag, 'key a', Buffer.from('enabled')), false)
})

test('what is derived is the same each time, and different for each purpose and root key', () => {
  const derived = [
    fixedKey().derive('audit'),
    fixedKey().derive('tokens'),
    new RootKey(Buffer.alloc(32, 8)).derive('audit'),
    Buffer.alloc(32, 7),
  ]
  assert.equal(new Set(derived.map((bytes) => bytes.toString('hex'))).size, 4)
  assert.deepEqual(fixedKey().derive('audit'), derived[0])
  // openssl kdf -keylen 32 -kdfopt digest:SHA256 -kdfopt hexkey:0707…07 -kdfopt info:audit HKDF
  assert.equal(
    derived[0]?.toString('hex'),
    'c7ca148449059501b69dce809492bc931c63e675a24504c8fe1924ff9d2a1b04',
  )
})

test('a zeroed root key opens nothing', () => {
  const rootKey = fixedKey()
  const sealed = rootKey.seal(secret, 'row 1')
  const tag = rootKey.tag('row 1', secret)
  rootKey.zero()
  assert.equal(rootKey.unseal(sealed, 'row 1'), undefined)
  assert.equal(rootKey.isTag(tag, 'row 1', secret), false)
})
