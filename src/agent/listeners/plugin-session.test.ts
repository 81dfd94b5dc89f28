import assert from 'node:assert/strict'
import { cpSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { Socket } from 'node:net'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { FakeMasterKey } from '../../../test/support/fake-master-key.ts'
import { openKeyring } from '../../../test/support/keyring.ts'
import { PluginClient } from '../../../test/support/plugin-client.ts'
import { RecordingLog } from '../../../test/support/recording-log.ts'
import { scratchDirectory } from '../../../test/support/scratch.ts'
import { until } from '../../../test/support/until.ts'
import { parseCreationRule } from '../../keyring/creation-rule.ts'
import type { DataKey } from '../../keyring/data-key.ts'
import type { Keyring } from '../../keyring/keyring.ts'
import { encodeFrame, FrameReader, headerLength } from './plugin-frames.ts'
import { listenForPlugin, type PluginListener } from './plugin-socket.ts'

interface Setup {
  readonly directory: string
  readonly listener: PluginListener
  readonly keyring: Keyring
  readonly masterKey: FakeMasterKey
  readonly log: RecordingLog
  readonly connect: () => Promise<PluginClient>
}

async function listen(t: TestContext): Promise<Setup> {
  const directory = scratchDirectory(t)
  const masterKey = new FakeMasterKey()
  const creationRule = parseCreationRule('1-9')
  mkdirSync(join(directory, 'data'))
  const { keyring } = await openKeyring(t, join(directory, 'data'), masterKey, { creationRule })
  const log = new RecordingLog()
  const listener = await listenForPlugin(
    { directory, groupId: process.getegid?.() ?? 0 },
    { name: 'mariadb', keys: keyring, agreement: { join: () => () => undefined } },
    log,
  )
  t.after(() => listener.close())
  return {
    ...{ directory, listener, keyring, masterKey, log },
    connect: async () => {
      const client = await PluginClient.connect(listener.socket)
      t.after(() => {
        client.close()
      })
      return client
    },
  }
}

function hex(key: DataKey | undefined): string | undefined {
  return key?.lend((bytes) => bytes.toString('hex'))
}

test('greets with the keyring, gives keys and says what is not there', async (t) => {
  const { keyring, connect } = await listen(t)
  const client = await connect()
  assert.deepEqual(await client.greeting, {
    type: 'welcome',
    version: 1,
    options: new Map([['keyring', 'mariadb']]),
  })
  const made = await client.getLatest(1)
  assert.ok(made?.type === 'key')
  assert.deepEqual(
    { ...made, bytes: made.bytes.toString('hex') },
    {
      ...{ type: 'key', request: 1, keyId: 1, version: 1, isLatest: true, isGenerated: true },
      bytes: hex(keyring.latest(1)),
    },
  )
  const rotated = await client.rotate(1)
  assert.deepEqual(rotated, { type: 'rotated', request: 2, keyId: 1, text: 'key 1 now has version 2' })
  assert.deepEqual(
    client.pushes.map((key) => ({ ...key, bytes: key.bytes.toString('hex') })),
    [
      {
        ...{ type: 'key', request: 0, keyId: 1, version: 2, isLatest: true, isGenerated: true },
        bytes: hex(keyring.latest(1)),
      },
    ],
  )
  const old = await client.getKey(1, 1)
  assert.ok(old?.type === 'key' && !old.isLatest)
  // The id was not there to be said at first.
  const ids = client.greetings.map((said) => said?.type === 'welcome' && said.options.get('keyring-id'))
  assert.deepEqual(ids, [undefined, keyring.id])
  assert.equal(old.bytes.toString('hex'), hex(keyring.held(1, 1)))

  const never = await client.getKey(1, 3)
  assert.ok(never?.type === 'absent')
  assert.equal(never.text, 'key 1, version 3 was never issued in the keyring mariadb')
  const forbidden = await client.getLatest(10)
  assert.ok(forbidden?.type === 'absent')
  assert.match(forbidden.text, /key 10 has no version.*create-keys/)

  const later = await connect()
  const greeting = await later.greeting
  assert.ok(greeting?.type === 'welcome')
  assert.equal(greeting.options.get('keyring-id'), keyring.id)
  const known = await later.getLatest(1)
  assert.ok(known?.type === 'key' && !known.isGenerated)
})

test('K3: held keys are given whatever becomes of KMS and store, and however many requests wait', async (t) => {
  const { directory, keyring, masterKey, connect } = await listen(t)
  await keyring.obtainLatest(1)
  masterKey.fault = 'SR_KMS_ACCESS_DENIED'
  renameSync(join(directory, 'data'), join(directory, 'away'))
  const client = await connect()
  const held = await client.getKey(1, 1)
  assert.ok(held?.type === 'key')
  const failed = await client.getLatest(2)
  assert.ok(failed?.type === 'failed' && !failed.again && !failed.undecrypted)
  assert.match(failed.text, /cannot read/)

  renameSync(join(directory, 'away'), join(directory, 'data'))
  masterKey.fault = undefined
  masterKey.delay = 2500
  const waiting = Array.from({ length: 1200 }, () => client.getLatest(2))
  assert.equal((await client.getLatest(1))?.type, 'key')
  const crowded = await waiting[1100]
  assert.ok(crowded?.type === 'failed' && !crowded.again)
  assert.match(crowded.text, /1000 other requests/)
  assert.equal((await client.getLatest(1))?.type, 'key')
  const answers = await Promise.all(waiting)
  assert.equal(answers.filter((answer) => answer?.type === 'failed' && answer.again).length, 1000)
})

test('K8: what takes too long is answered with "again", and is there when it is asked for again', async (t) => {
  const { keyring, masterKey, log, connect } = await listen(t)
  masterKey.delay = 1500
  const client = await connect()
  const late = await client.getLatest(1)
  assert.deepEqual(late, {
    ...{ type: 'failed', request: 1, keyId: 1, version: 0, undecrypted: false, again: true },
    text: 'key 1 is not to be had within 1800 ms: the KMS or the store is slow',
  })
  const there = await client.getLatest(1)
  assert.ok(there?.type === 'key' && there.isGenerated)
  assert.equal(there.bytes.toString('hex'), hex(keyring.latest(1)))
  assert.equal(masterKey.wraps, 1)
  assert.deepEqual(log.messages('warn'), [late.text])
})

test('K5: many requests for the same missing key, on several connections, make one KMS call', async (t) => {
  const { masterKey, connect } = await listen(t)
  const clients = [await connect(), await connect(), await connect()]
  const answers = await Promise.all(
    clients.flatMap((client) => Array.from({ length: 20 }, () => client.getLatest(2))),
  )
  assert.equal(masterKey.wraps, 1)
  const keys = new Set(
    answers.map((answer) => (answer?.type === 'key' ? answer.bytes.toString('hex') : answer)),
  )
  assert.equal(keys.size, 1)
})

test('a key that the KMS does not unwrap is named with its version', async (t) => {
  const { directory, keyring, masterKey } = await listen(t)
  await keyring.obtainLatest(1)
  await keyring.rotate(1)
  masterKey.fault = 'SR_MASTER_KEY_DISABLED'
  const { keyring: other } = await openKeyring(t, join(directory, 'data'), masterKey)
  const mount = { name: 'other', keys: other, agreement: { join: () => () => undefined } }
  const groupId = process.getegid?.() ?? 0
  const listener = await listenForPlugin({ directory, groupId }, mount, new RecordingLog())
  t.after(() => listener.close())
  const client = await PluginClient.connect(listener.socket)
  const text = 'the fake KMS was told to fail'
  const [latest, old] = [await client.getLatest(1), await client.getKey(1, 1)]
  const flags = { type: 'failed', undecrypted: true, again: false, text }
  assert.deepEqual(latest, { ...flags, request: 1, keyId: 1, version: 2 })
  assert.deepEqual(old, { ...flags, request: 2, keyId: 1, version: 1 })
  // Of a key that can't be made there is nothing that could be decrypted.
  const unmade = await client.getLatest(3)
  assert.ok(unmade?.type === 'failed' && !unmade.undecrypted)
  client.close()
})

test('each new latest version of what a client was given is sent to it, wherever it comes from', async (t) => {
  const { directory, keyring, masterKey, connect } = await listen(t)
  await keyring.obtainLatest(1)
  await keyring.obtainLatest(2)
  const [client, stranger] = [await connect(), await connect()]
  await client.getLatest(1)

  await keyring.rotate(2)
  await keyring.rotate(1)
  await until("the operator's new version came", () => client.pushes.length === 1)
  const { keyring: another } = await openKeyring(t, join(directory, 'data'), masterKey)
  await another.rotate(1)
  await until('the one that was found in the store came', () => client.pushes.length === 2)
  assert.deepEqual(
    client.pushes.map(({ keyId, version, isLatest, isGenerated }) => ({
      keyId,
      version,
      isLatest,
      isGenerated,
    })),
    [
      { keyId: 1, version: 2, isLatest: true, isGenerated: true },
      { keyId: 1, version: 3, isLatest: true, isGenerated: false },
    ],
  )
  assert.deepEqual(stranger.pushes, [])
})

test('rotates every id, and says which went to which version and which did not', async (t) => {
  const { keyring, masterKey, connect } = await listen(t)
  const client = await connect()
  const none = await client.rotate(0)
  assert.ok(none?.type === 'failed')
  assert.equal(none.text, 'no key has a version that could be rotated')
  for (const keyId of [1, 2, 3]) await keyring.obtainLatest(keyId)

  const all = await client.rotate(0)
  assert.ok(all?.type === 'rotated')
  assert.equal(all.text, 'key 1 now has version 2; key 2 now has version 2; key 3 now has version 2')
  assert.deepEqual(
    client.pushes.map(({ keyId, version }) => [keyId, version]),
    [
      [1, 2],
      [2, 2],
      [3, 2],
    ],
  )
  masterKey.faultFor = (context) =>
    context['strongroom-key-id'] === '2' ? 'SR_KMS_ACCESS_DENIED' : undefined
  const some = await client.rotate(0)
  assert.ok(some?.type === 'failed')
  assert.equal(
    some.text,
    'key 2 not rotated: the fake KMS was told to fail; key 1 now has version 3; key 3 now has version 3',
  )
  const absent = await client.rotate(7)
  assert.ok(absent?.type === 'failed')
  assert.match(absent.text, /key 7 has no version that could be rotated/)
})

test('K9: another keyring in the place of the former ends the connections', async (t) => {
  const { directory, keyring, masterKey, connect } = await listen(t)
  await keyring.obtainLatest(1)
  const former = keyring.id
  const client = await connect()
  await client.getLatest(1)
  const elsewhere = scratchDirectory(t)
  const { keyring: another } = await openKeyring(t, elsewhere, masterKey)
  await another.obtainLatest(1)
  const data = join(directory, 'data')
  rmSync(data, { recursive: true })
  cpSync(elsewhere, data, { recursive: true })

  await until('the connection ends', () => client.isClosed)
  assert.deepEqual(client.pushes, [])
  const next = await connect()
  const greeting = await next.greeting
  assert.ok(greeting?.type === 'welcome')
  assert.equal(greeting.options.get('keyring-id'), another.id)
  assert.notEqual(another.id, former)
  const key = await next.getLatest(1)
  assert.equal(key?.type === 'key' && key.bytes.toString('hex'), hex(another.latest(1)))
})

test('whoever does not speak the protocol is let go, and others are served', async (t) => {
  const { listener, keyring, log, connect } = await listen(t)
  await keyring.obtainLatest(1)
  const client = await connect()
  const hello = encodeFrame({ type: 'hello', version: 1, options: new Map() })
  const get = encodeFrame({ type: 'get latest', request: 1, keyId: 1 })
  for (const bytes of [
    Buffer.from('GET / HTTP/1.1\r\nHost: x\r\n\r\n'),
    Buffer.alloc(100_000, 0xff),
    get,
    Buffer.concat([hello, hello]),
    Buffer.concat([hello, get, Buffer.alloc(headerLength)]),
  ]) {
    const peer = await PluginClient.open(listener.socket)
    peer.socket.write(bytes)
    await until('it is let go', () => peer.isClosed)
  }
  assert.equal((await client.getLatest(1))?.type, 'key')
  assert.ok(log.lines.every(({ level, fields }) => level === 'warn' && 'code' in fields))
  assert.ok(log.messages().some((line) => line.includes('"get latest" came before the hello')))

  const next = await PluginClient.open(listener.socket)
  const welcome = await next.hello({}, 7)
  assert.ok(welcome?.type === 'welcome' && welcome.version === 1)
  next.close()
  const old = await PluginClient.open(listener.socket)
  const greeting = await old.hello({}, 0)
  assert.ok(greeting?.type === 'refused')
  assert.match(greeting.text, /speaks version 1 of the plugin protocol, not 0/)
  await until('it is let go', () => old.isClosed)
})

test('only so many connections are held at a time, and so many rotations', async (t) => {
  const { listener, keyring, masterKey, log, connect } = await listen(t)
  await keyring.obtainLatest(1)
  masterKey.delay = 20
  const client = await connect()
  const rotations = await Promise.all(Array.from({ length: 10 }, () => client.rotate(1)))
  assert.deepEqual(
    rotations.map((answer) => answer?.type),
    [...Array.from({ length: 8 }, () => 'rotated'), 'failed', 'failed'],
  )
  assert.equal(keyring.latest(1)?.version, 9)
  const idle = await Promise.all(Array.from({ length: 100 }, () => PluginClient.open(listener.socket)))
  await until('one is let go', () => idle.some(({ isClosed }) => isClosed))
  assert.equal((await client.getLatest(1))?.type, 'key')
  assert.match(log.messages('warn').join(), /100 connections are open/)
  for (const peer of idle) peer.close()
})

test('half a hello is waited for two seconds, half a request as long as it takes', async (t) => {
  const { listener, keyring, connect } = await listen(t)
  await keyring.obtainLatest(1)
  const silent = await PluginClient.open(listener.socket)
  const half = await PluginClient.open(listener.socket)
  const client = await connect()
  half.socket.write(
    encodeFrame({ type: 'hello', version: 1, options: new Map([['a', 'b']]) }).subarray(0, 20),
  )
  const request = encodeFrame({ type: 'get latest', request: 1, keyId: 1 })
  const answer = once(client.socket, 'data')
  client.socket.write(request.subarray(0, 7))
  await until('both are let go', () => silent.isClosed && half.isClosed)
  assert.equal(client.isClosed, false)
  client.socket.write(request.subarray(7))
  await answer
})

test('a peer that sends and never reads is not read from any more, and holds up nobody', async (t) => {
  const { listener, keyring, connect } = await listen(t)
  await keyring.obtainLatest(1)
  const requests = 100_000
  const peer = new Socket().connect(listener.socket)
  t.after(() => {
    peer.destroy()
  })
  await once(peer, 'connect')
  const get = encodeFrame({ type: 'get key', request: 1, keyId: 1, version: 1 })
  const hello = encodeFrame({ type: 'hello', version: 1, options: new Map() })
  peer.write(Buffer.concat([hello, ...Array.from({ length: requests }, () => get)]))
  const client = await connect()
  for (let round = 0; round < 100; round++) assert.equal((await client.getLatest(1))?.type, 'key')
  assert.ok(peer.writableLength > 0, 'the agent has read all of it')

  let answers = 0
  const reader = FrameReader.fromAgent()
  peer.on('data', (chunk) => {
    answers += [...reader.read(chunk)].length
  })
  await until('every request is answered once somebody reads', () => answers === requests + 1)
})

test('K6: the frames that hold keys are zeroed once they are sent, also those that never were', async (t) => {
  const { listener, keyring, connect } = await listen(t)
  await keyring.obtainLatest(1)
  const write = t.mock.method(Socket.prototype, 'write')
  const client = await connect()
  const key = await client.getLatest(1)
  assert.ok(key?.type === 'key' && !key.bytes.every((byte) => byte === 0))
  const peer = await PluginClient.open(listener.socket)
  peer.socket.pause()
  void peer.hello()
  for (let round = 0; round < 20_000; round++) peer.send({ type: 'get latest', request: 1, keyId: 1 })
  const sent = () =>
    write.mock.calls.flatMap(({ arguments: [bytes] }) =>
      Buffer.isBuffer(bytes) && bytes.length === headerLength + 32 ? [bytes] : [],
    )
  await until('the agent waits for the peer', () => sent().length > 1000)
  peer.close()
  await until('all are zeroed', () => sent().every((bytes) => bytes.every((byte) => byte === 0)))
})

test('the end of the listener ends every connection', async (t) => {
  const { listener, masterKey, connect } = await listen(t)
  masterKey.delay = 2500
  const client = await connect()
  const answer = client.getLatest(1)
  await until('the KMS is asked', () => masterKey.wraps === 1)
  await listener.close()
  assert.equal(await answer, undefined)
  await assert.rejects(PluginClient.open(listener.socket), { code: 'ENOENT' })
})
