import assert from 'node:assert/strict'
import { test } from 'node:test'
import { RecordingLog } from '../../../test/support/recording-log.ts'
import type { MasterKeySettings } from '../master-key-settings.ts'
import { PluginOptions } from './plugin-options.ts'

const arn = 'arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab'
const place = { file: '/etc/strongroom/agent.conf', section: 'keyring mariadb' }
const unsaid: MasterKeySettings = {
  masterKeyId: undefined,
  keySpec: undefined,
  region: undefined,
  endpointUrl: undefined,
  requestTimeout: undefined,
}
const everything: MasterKeySettings = {
  masterKeyId: arn,
  keySpec: 'AES_256',
  region: 'us-west-2',
  endpointUrl: 'http://127.0.0.1:8202',
  requestTimeout: 5000,
}
const said = {
  'master-key-id': arn,
  'key-spec': 'AES_256',
  region: 'us-west-2',
  'endpoint-url': 'http://127.0.0.1:8202',
  'request-timeout': '5000',
}

function options(agentConf: Partial<MasterKeySettings>, acceptsOptions: boolean) {
  const used: MasterKeySettings[] = []
  const log = new RecordingLog()
  const agreement = new PluginOptions(
    { place, said: { ...unsaid, ...agentConf }, acceptsOptions },
    log,
    (settings) => used.push(settings),
  )
  const join = (given: Record<string, string>) => agreement.join(new Map(Object.entries(given)))
  return { agreement, join, used, log }
}

for (const acceptsOptions of [false, true]) {
  const how = acceptsOptions ? 'also where options are accepted' : 'where none are accepted'
  test(`what both say alike is welcome, and changes nothing, ${how}`, () => {
    const { join, used } = options(everything, acceptsOptions)
    join({})
    join(said)
    join({ 'endpoint-url': 'http://127.0.0.1:8202/' })
    assert.deepEqual(used, acceptsOptions ? [everything] : [])
  })

  for (const [name, value, variable] of [
    ['master-key-id', 'alias/other', 'master_key_id'],
    ['key-spec', 'AES_128', 'key_spec'],
    ['region', 'eu-central-1', 'region'],
    ['endpoint-url', 'http://127.0.0.1:8203', 'endpoint_url'],
    ['request-timeout', '2000', 'request_timeout'],
  ] as const) {
    test(`a contradiction shows both values and both places: ${name}, ${how}`, () => {
      const { join } = options(everything, acceptsOptions)
      assert.throws(() => join({ ...said, [name]: value }), {
        code: 'SR_PLUGIN_OPTIONS',
        message: `MariaDB's options say aws_key_management_${variable} = ${value}, but [keyring mariadb] in /etc/strongroom/agent.conf says ${name} = ${said[name]}: make both the same, or remove one`,
      })
    })
  }
}

for (const [name, value, words] of [
  ['master-key-id', arn, 'there is none'],
  ['key-spec', 'AES_128', 'it is AES_256'],
  ['region', 'eu-central-1', "it is the one that AWS's SDK finds for the agent"],
  ['endpoint-url', 'http://127.0.0.1:8202', "it is Amazon's own"],
] as const) {
  test(`what only MariaDB's options say is refused: ${name}`, () => {
    const { join } = options({}, false)
    assert.throws(() => join({ [name]: value }), {
      code: 'SR_PLUGIN_OPTIONS',
      message: `MariaDB's options say aws_key_management_${name.replaceAll('-', '_')} = ${value}, but [keyring mariadb] in /etc/strongroom/agent.conf does not say ${name}, so ${words}: say the same there, or accept-options-from = plugin`,
    })
  })
}

test("unless it is what the agent does anyway, or the time-out, which then is the plugin's alone", () => {
  const { join, used } = options({ masterKeyId: arn }, false)
  join({ 'key-spec': 'AES_256' })
  join({ region: 'us-west-2' })
  join({ 'request-timeout': '900' })
  assert.throws(() => join({ region: 'eu-west-1' }), { message: /it is us-west-2, that of master-key-id/ })
  assert.deepEqual(used, [])
})

for (const [name, value] of Object.entries(said)) {
  test(`what only MariaDB's options say is used where they are accepted: ${name}`, () => {
    const { agreement, join, used, log } = options({}, true)
    assert.equal(agreement.waits, true)
    join({ [name]: value })
    assert.equal(agreement.waits, false)
    const property = {
      'master-key-id': 'masterKeyId',
      'key-spec': 'keySpec',
      'endpoint-url': 'endpointUrl',
      'request-timeout': 'requestTimeout',
    }
    const wanted = name === 'request-timeout' ? 5000 : value
    const key = Object.entries(property).find(([option]) => option === name)?.[1] ?? name
    assert.deepEqual(used, [{ ...unsaid, [key]: wanted }])
    assert.deepEqual(log.messages(), [`takes from MariaDB's options: ${name} = ${value}`])
  })
}

test('stays in effect after the connection, until a later one says something else', () => {
  const { join, used } = options({ keySpec: 'AES_128' }, true)
  const leave = join({ 'master-key-id': 'alias/one', region: 'us-west-2', 'key-spec': 'AES_128' })
  leave()
  join({})()
  join({ 'master-key-id': 'alias/one' })()
  const one = { ...unsaid, keySpec: 'AES_128', masterKeyId: 'alias/one', region: 'us-west-2' }
  assert.deepEqual(used, [one])
  join({ 'master-key-id': 'alias/two' })()
  assert.deepEqual(used, [one, { ...one, masterKeyId: 'alias/two' }])
})

test('servers that are connected at the same time must agree', () => {
  const { join, used } = options({}, true)
  const leave = join({ 'master-key-id': 'alias/one' })
  const refused = () => join({ 'master-key-id': 'alias/two' })
  assert.throws(refused, {
    code: 'SR_PLUGIN_OPTIONS',
    message:
      "MariaDB's options say aws_key_management_master_key_id = alias/two, but another server that is connected to this keyring has aws_key_management_master_key_id = alias/one: make both the same, or give each its own keyring",
  })
  join({ 'master-key-id': 'alias/one', region: 'us-west-2' })()
  assert.equal(used.length, 2)
  assert.throws(refused, { code: 'SR_PLUGIN_OPTIONS' })
  leave()
  refused()
  assert.equal(used.at(-1)?.masterKeyId, 'alias/two')
})

test('a client that says something else each time it comes is not heard for ever', () => {
  const used: unknown[] = []
  let now = 0
  const config = { place, said: unsaid, acceptsOptions: true }
  const agreement = new PluginOptions(
    config,
    new RecordingLog(),
    (settings) => used.push(settings),
    () => now,
  )
  const say = (region: string) => {
    agreement.join(new Map([['region', region]]))()
  }
  for (let n = 1; n <= 10; n++) say(`region-${n}`)
  const refused = { code: 'SR_PLUGIN_OPTIONS', message: /has changed 10 times within 10000 ms/ }
  for (let n = 11; n <= 20; n++)
    assert.throws(() => {
      say(`region-${n}`)
    }, refused)
  say('region-10')
  assert.equal(used.length, 10)
  now = 10_000
  say('region-21')
  assert.equal(used.length, 11)
})

test('K10: an endpoint that would bring a password into the log is refused', () => {
  const { join, used } = options({}, true)
  assert.throws(() => join({ 'endpoint-url': 'https://name:secret@kms.example/' }), {
    code: 'SR_PLUGIN_OPTIONS',
    message: /endpoint_url = "https:\/\/…@kms\.example\/" in .* must not have a user name or password$/,
  })
  assert.deepEqual(used, [])
})

test('values are checked as those of agent.conf are, and names that are not known are passed over', () => {
  const { join, used } = options({}, true)
  for (const [name, value, says] of [
    ['master-key-id', 'two words', /master_key_id = "two words".*must be an id, ARN/],
    ['key-spec', 'AES_192', /key_spec = "AES_192".*AES_256/],
    ['region', 'us west', /region = "us west".*name of a region/],
    ['endpoint-url', 'kms.example', /endpoint_url = "kms\.example".*must be an https URL/],
    ['endpoint-url', 'file:///etc/passwd', /must be an https URL/],
    ['endpoint-url', 'http://kms.example', /must be an https URL/],
    ['request-timeout', '5s', /request_timeout = "5s".*number of milliseconds/],
    ['request-timeout', '70000', /request_timeout = "70000".*100 to 60000/],
  ] as const) {
    assert.throws(() => join({ [name]: value }), { code: 'SR_PLUGIN_OPTIONS', message: says })
  }
  assert.deepEqual(used, [])
  join({ 'of-a-later-release': 'x' })
  assert.deepEqual(used, [unsaid])
})
