import assert from 'node:assert/strict'
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { prepareServer } from '../../src/mariadb/server.ts'
import { freePort } from '../../src/cli/demo/free-port.ts'
import {
  codesIn,
  type Diagnosis,
  diagnosisOf,
  doctorArguments,
  fileFolder,
  healthyStack,
} from '../support/doctor-stack.ts'
import { vaultOf } from '../support/running-stack.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { askVaultForKey } from '../support/vault-client.ts'
import { program, strongroom } from '../support/strongroom.ts'
import { until } from '../support/until.ts'

const isRoot = process.getuid?.() === 0
const skip = isRoot ? false : 'only root can look at what other users may read'

test(
  'a healthy host through the plugin listener, and what is left when agent and server are down',
  { skip },
  async (t) => {
    const stack = await healthyStack(t, { listener: 'plugin' })
    await findsNothing(stack)

    await stack.stopServer()
    await stack.agent.stop()
    const down = await diagnosisOf(stack)
    assert.equal(down.code, 1)
    assert.deepEqual(codesIn(down.diagnosis), ['SRD_AGENT_DOWN'])
    assert.ok(down.diagnosis.notChecked.some(({ about }) => about === "the server's release"))

    const options = readFileSync(stack.prepared.optionFile, 'utf8')
    const weaker = options
      .replace(/^secure-file-priv.*$/m, '')
      .replaceAll('FORCE_PLUS_PERMANENT', 'ON')
      .replace(/^(innodb-encryption-threads) = .*$/m, '$1 = 0')
    writeFileSync(stack.prepared.optionFile, weaker)
    assert.deepEqual(codesIn((await diagnosisOf(stack)).diagnosis).sort(), [
      'SRD_AGENT_DOWN',
      'SRD_ENCRYPTION_THREADS',
      'SRD_PLUGIN_NOT_FORCED',
      'SRD_SECURE_FILE_PRIV',
    ])
  },
)

/** And changes nothing, and has looked at everything. */
async function findsNothing(stack: Stack): Promise<void> {
  const before = stateOf(stack)
  const { code, diagnosis } = await diagnosisOf(stack)
  assert.deepEqual(diagnosis, { findings: [], notChecked: [...closedProcess()] })
  assert.equal(code, 0)
  assert.deepEqual(stateOf(stack), before)
}

/** When anything of a keyring was changed last. */
function stateOf({ dataDirectory, agentDirectory }: Stack): unknown {
  const key = statSync(join(dataDirectory, 'aws-kms-key.1.1'))
  const manifest = readFileSync(join(dataDirectory, 'aws-kms-key.keyring.json'), 'utf8')
  return [key.ino, key.mtimeMs, manifest, statSync(agentDirectory).mtimeMs]
}

/** In some containers and virtual machines not even root may look into the first process. */
function closedProcess(): Diagnosis['notChecked'] {
  try {
    readFileSync('/proc/1/environ')
    return []
  } catch {
    const name = readFileSync('/proc/1/comm', 'utf8').trim()
    return [
      {
        about: 'secrets in the environment of processes',
        reason: `process 1 (${name}) may not be looked into`,
      },
    ]
  }
}

suite('what is wrong on a host', { skip }, () => {
  test('one thing after the other, on one host', async (t) => {
    const stack = await healthyStack(t)
    const mysql = statSync(stack.dataDirectory)
    const { token } = vaultOf(stack)
    const credentials = readFileSync(stack.user.credentialsFile, 'utf8')
    const secret = /^aws_secret_access_key = (.+)$/m.exec(credentials)?.[1] ?? ''
    const accessKeyId = /^aws_access_key_id = (.+)$/m.exec(credentials)?.[1] ?? ''
    const answer = await askVaultForKey(vaultOf(stack), 1, 1)
    const dataKey = /[0-9a-f]{64}/i.exec(answer?.body ?? '')?.[0] ?? ''
    const secrets = [secret, token, dataKey, Buffer.from(dataKey, 'hex').toString('base64')]
    assert.ok(secrets.every((one) => one.length >= 40))
    const configFile = join(stack.agentDirectory, 'agent.conf')
    const tokenFile = join(stack.agentDirectory, 'mariadb.token')

    /** The codes of a host that is put so, and put back. No output ever holds a secret. */
    const codesWhile = async (put: () => void, back: () => void, more: readonly string[] = []) => {
      put()
      try {
        const { diagnosis, output, code } = await diagnosisOf(stack, more)
        for (const one of secrets) assert.ok(!output.includes(one))
        assert.equal(code, diagnosis.findings.length === 0 ? 0 : 1)
        return codesIn(diagnosis)
      } finally {
        back()
      }
    }
    await t.test('a healthy host, through the Vault listener', async () => {
      await findsNothing(stack)
      const { stdout, code } = await strongroom(doctorArguments(stack))
      // Of what other tests have in their environments at this moment.
      const isOfOthers = /^ +SRD_\w+_IN_ENVIRONMENT /m.test(stdout)
      assert.deepEqual(stdout.match(/^ +SRD_(?!\w+_IN_ENVIRONMENT )\w+/gm), null)
      assert.match(stdout, isOfOthers ? /^\d+ findings?/m : /^no finding(; 1 not checked)?$/m)
      assert.equal(code, isOfOthers ? 1 : 0)
    })

    await t.test(
      'credentials in the data directory, among what would block root or have it tell a secret',
      async () => {
        const folder = join(stack.dataDirectory, '.aws')
        const traps = join(stack.dataDirectory, 'traps')
        const codes = await codesWhile(
          () => {
            mkdirSync(folder)
            writeFileSync(join(folder, 'credentials'), readFileSync(stack.user.credentialsFile), {
              mode: 0o600,
            })
            for (const path of [folder, join(folder, 'credentials')]) chownSync(path, mysql.uid, mysql.gid)
            mkdirSync(traps)
            execFileSync('mkfifo', ['f.ibd', 'f.isl', 'f.MAI', '../f.000001', '../f'], { cwd: traps })
            const links = {
              'kmsg.ibd': '/proc/kmsg',
              'secret.isl': stack.user.credentialsFile,
              '../kmsg': '/proc/kmsg',
            }
            for (const [name, target] of Object.entries(links)) {
              symlinkSync(target, join(traps, name))
              lchownSync(join(traps, name), mysql.uid, mysql.gid)
            }
          },
          () => {
            rmSync(folder, { recursive: true })
            rmSync(traps, { recursive: true })
            for (const name of ['f.000001', 'f', 'kmsg']) rmSync(join(stack.dataDirectory, name))
          },
        )
        assert.deepEqual(codes, ['SRD_CREDENTIALS_READABLE'])
      },
    )

    await t.test('credentials that an ACL opens to MariaDB’s user', async () => {
      const file = join(scratchDirectory(t), 'strongroom.env')
      chmodSync(join(file, '..'), 0o711)
      writeFileSync(file, `AWS_SECRET_ACCESS_KEY=${secret}\n`, { mode: 0o600 })
      const config = readFileSync(configFile, 'utf8')
      const named = () => {
        writeFileSync(configFile, config.replace(/^credentials-file = .*$/m, `credentials-file = ${file}`))
      }
      const back = () => {
        writeFileSync(configFile, config)
      }
      assert.deepEqual(await codesWhile(named, back), [])
      execFileSync('setfacl', ['-m', `u:${mysql.uid}:r`, file])
      assert.deepEqual(await codesWhile(named, back), ['SRD_CREDENTIALS_READABLE'])
    })

    await t.test('secrets in the environment of processes', async () => {
      const env = { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secret, VAULT_TOKEN: token }
      const child = spawn('sleep', ['100'], { env })
      await once(child, 'spawn')
      try {
        await until(
          'the program runs',
          () => readFileSync(`/proc/${child.pid ?? 0}/comm`, 'utf8') === 'sleep\n',
        )
        const { diagnosis, output } = await diagnosisOf(stack)
        assert.deepEqual(codesIn(diagnosis), ['SRD_CREDENTIALS_IN_ENVIRONMENT', 'SRD_TOKEN_IN_ENVIRONMENT'])
        assert.ok(diagnosis.findings.every(({ where }) => where === `process ${child.pid ?? 0} (sleep)`))
        for (const one of secrets) assert.ok(!output.includes(one))
      } finally {
        const ended = once(child, 'exit')
        child.kill()
        await ended
      }
    })

    await t.test('an option file with AWS secrets, another token, another place, and no plugin', async () => {
      const former = readFileSync(stack.prepared.optionFile, 'utf8')
      const folder = fileFolder(t)
      const codes = await codesWhile(
        () => {
          const changed = former
            .replaceAll(token, 'another-token-0123456789')
            .replace('/v1/mariadb', '/v1/other')
          const more = `plugin-dir = ${folder}\n# aws_secret_access_key = ${secret}\n`
          writeFileSync(stack.prepared.optionFile, changed + more)
        },
        () => {
          writeFileSync(stack.prepared.optionFile, former)
        },
      )
      assert.deepEqual(codes, [
        'SRD_SERVER_ELSEWHERE',
        'SRD_TOKEN_REFUSED',
        'SRD_PLUGIN_UNLOADABLE',
        'SRD_CREDENTIALS_IN_OPTION_FILE',
      ])
    })

    await t.test('weak modes', async () => {
      const weak: readonly (readonly [path: string, mode: number])[] = [
        [stack.agentDirectory, 0o711],
        [tokenFile, 0o644],
        [configFile, 0o646],
        [stack.user.credentialsFile, 0o644],
        [join(stack.agentDirectory, 'admin.sock'), 0o666],
        [join(stack.directory, 'server'), 0o711],
        [stack.dataDirectory, 0o757],
        [join(stack.dataDirectory, 'aws-kms-key.1.1'), 0o666],
      ]
      const former = weak.map(([path]) => [path, statSync(path).mode & 0o7777] as const)
      const put = (modes: typeof weak) => {
        for (const [path, mode] of modes) chmodSync(path, mode)
      }
      const codes = await codesWhile(
        () => {
          put(weak)
        },
        () => {
          put(former)
        },
      )
      assert.deepEqual(codes.sort(), [
        'SRD_CONFIGURATION_WRITABLE',
        'SRD_CREDENTIALS_READABLE',
        'SRD_DATA_OPEN',
        'SRD_DATA_OPEN',
        'SRD_SECRET_READABLE',
        'SRD_SOCKET_OPEN',
      ])
    })

    await t.test('encryption that is turned off while the server runs', async () => {
      const set = (threads: number, age: number, tables: string) =>
        stack.server.query(
          `SET GLOBAL innodb_encryption_threads = ${threads}, innodb_encryption_rotate_key_age = ${age}, innodb_encrypt_tables = ${tables}`,
        )
      await set(0, 0, 'ON')
      const { diagnosis } = await diagnosisOf(stack)
      await set(4, 1, '`FORCE`')
      assert.deepEqual(codesIn(diagnosis), [
        'SRD_ENCRYPTION_THREADS',
        'SRD_ROTATE_KEY_AGE',
        'SRD_ENCRYPTION_OPTIONAL',
      ])
    })

    await t.test('a primary that is not encrypted, which only itself can tell', async (t) => {
      const port = await freePort()
      const primary = await prepareServer({ directory: join(stack.directory, 'primary'), options: {}, port })
      await primary.initialise()
      const running = await primary.start()
      t.after(() => running.stop())
      await running.query("CREATE USER replica@'127.0.0.1' IDENTIFIED BY 'a-replica-password'")
      await stack.server.query(
        `CHANGE MASTER TO MASTER_HOST = '127.0.0.1', MASTER_PORT = ${port}, MASTER_USER = 'replica', MASTER_PASSWORD = 'a-replica-password'`,
      )
      const unasked = await diagnosisOf(stack)
      assert.deepEqual(codesIn(unasked.diagnosis), [])
      assert.ok(unasked.diagnosis.notChecked.some(({ about }) => about === 'encryption on a replica only'))
      const asked = await diagnosisOf(stack, ['--ask-primary'])
      assert.deepEqual(codesIn(asked.diagnosis), ['SRD_REPLICA_ONLY'])
      assert.ok(!asked.output.includes('a-replica-password'))
      await stack.server.query('RESET SLAVE ALL')
    })

    await t.test('whoever is not root gets no finding for it, and learns what was not checked', () => {
      const args = ['--reuid=65534', '--clear-groups', program, ...doctorArguments(stack)]
      const { status, stdout } = spawnSync('setpriv', args, { encoding: 'utf8' })
      assert.match(stdout, /the agent's configuration;.*\n +cannot read the configuration .* \(EACCES\)/)
      assert.match(stdout, /^no finding; \d\d not checked$/m)
      assert.equal(status, 0)
    })

    await t.test('an agent whose configuration became wrong', async () => {
      const former = readFileSync(configFile, 'utf8')
      const codes = await codesWhile(
        () => {
          appendFileSync(configFile, 'unknown = 1\n')
        },
        () => {
          writeFileSync(configFile, former)
        },
      )
      assert.deepEqual(codes, ['SRD_CONFIGURATION'])
    })

    await t.test('and nothing is left over', async () => {
      assert.deepEqual(codesIn((await diagnosisOf(stack)).diagnosis), [])
    })
  })
})
