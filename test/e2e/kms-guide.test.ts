import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test, type TestContext } from 'node:test'
import { freePort } from '../../src/cli/demo/free-port.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { program } from '../support/strongroom.ts'

/*
 * The guide's shell blocks, as they stand but for paths, ports and codes, one after the other in one shell.
 */

const guide = readFileSync(join(import.meta.dirname, '../../docs/kms.md'), 'utf8')
const needed = ['/usr/bin/aws', '/usr/bin/curl', '/usr/bin/openssl', '/usr/bin/python3', '/usr/bin/shred']
const missing = needed.filter((path) => !existsSync(path))

function blocks(language: string): string[] {
  return [...guide.matchAll(/^```(\w+)\n([^]*?)^```$/gm)].flatMap(([, found, content = '']) =>
    found === language ? [content] : [],
  )
}

/** The code that an authenticator app shows so many steps from now. */
const code = `
code() { python3 - "$1" <<'PYTHON'
import base64, hashlib, hmac, os, struct, sys, time
path = os.environ['KEPT_SEED']
seed = base64.b32decode(open(path).read())
step = os.environ.setdefault('STEP', open(path + '.step').read())
digest = hmac.new(seed, struct.pack('>Q', int(step) + int(sys.argv[1])), hashlib.sha1).digest()
at = digest[-1] & 15
print('%06d' % ((struct.unpack('>I', digest[at:at + 4])[0] & 0x7fffffff) % 1000000))
PYTHON
}
`

async function script(scratch: string): Promise<string> {
  const ports = await Promise.all([freePort(), freePort(), freePort(), freePort()])
  const [port, metrics, drillPort, drillMetrics] = ports
  const places = ['/etc', '/var/lib', '/run', '/media/safe', '/tmp', '/dev/shm', '/backup', '/srv']
  for (const place of places) mkdirSync(join(scratch, place), { recursive: true, mode: 0o700 })
  const edited = blocks('sh').map((block, at) => {
    const inScratch = block.replace(
      new RegExp(`(?<![\\w.~])(?=(${places.join('|')})/)(?<!(?<!fileb?:/)/)`, 'g'),
      scratch,
    )
    return `echo "block ${at + 1}"\n${inScratch}`
  })
  return [
    'set -euo pipefail',
    "trap 'kill $(jobs -p) 2>/dev/null || true' EXIT",
    code,
    ...edited,
    'echo "end of the guide"',
  ]
    .join('\n')
    .replaceAll('0.0.0.0:8202', `127.0.0.1:${port}`)
    .replaceAll('kms.example.com:8202', `localhost:${port}`)
    .replaceAll(':9202', `:${metrics}`)
    .replaceAll(':8203', `:${drillPort}`)
    .replaceAll(':9203', `:${drillMetrics}`)
    .replace(/^(aws iam create-virtual-mfa-device.*)$/m, `$1\n${keepSeed(scratch)}`)
    .replace('123456', '$(code -1)')
    .replace('654321', '$(code 0)')
    .replace('246810', '$(code 1)')
}

/** The guide has it shredded; the "app" remembers it, and the time at which it was asked. */
function keepSeed(scratch: string): string {
  return `cp ${scratch}/dev/shm/seed "$KEPT_SEED"; echo $(($(date +%s) / 30)) > "$KEPT_SEED.step"`
}

async function runScript(
  t: TestContext,
  scratch: string,
): Promise<{ exitCode: number | null; output: string }> {
  const file = join(scratch, 'guide.sh')
  writeFileSync(file, await script(scratch))
  const home = join(scratch, 'home')
  mkdirSync(home)
  const child = spawn('/bin/bash', ['-c', `exec /bin/bash ${file} 2>&1`], {
    cwd: scratch,
    env: {
      PATH: `${dirname(program)}:/usr/bin:/bin`,
      HOME: home,
      KEPT_SEED: join(home, 'seed'),
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.after(() => child.kill())
  const [output] = await Promise.all([text(child.stdout), once(child, 'exit')])
  return { exitCode: child.exitCode, output }
}

test(
  'the commands of docs/kms.md work as they stand',
  { skip: missing.length === 0 ? false : `not installed: ${missing.join(', ')}` },
  async (t) => {
    const scratch = scratchDirectory(t)
    const { exitCode, output } = await runScript(t, scratch)
    assert.equal(exitCode, 0, output)
    assert.match(output, /\nend of the guide\n/)
    assert.ok(blocks('sh').length >= 13)
    for (const said of [
      'arn:aws:iam::111122223333:root',
      'arn:aws:iam::111122223333:user/admin',
      // Separated: the administrator has no use of the key, the agent has nothing else.
      /user\/admin:\n(?! {2}kms:(Decrypt|Encrypt|GenerateDataKey)[^]*user\/payroll-agent)/,
      /user\/payroll-agent:\n {2}kms:Decrypt:.*AgentUses.*\n {2}kms:GenerateDataKeyWithoutPlaintext: .*\n(?! )/,
      'the backup is whole',
      'whole: every record is as the service wrote it',
      '"EventName": "PutKeyPolicy"',
    ]) {
      assert.ok(typeof said === 'string' ? output.includes(said) : said.test(output), `${said}\n${output}`)
    }
    // The alerts are about metrics that there are.
    const named = new Set(guide.match(/\bstrongroom_kms_[a-z_]+[a-z]/g))
    assert.equal(named.size, 4)
    for (const metric of named) {
      const isThere = output.includes(`\n${metric}`) || metric === 'strongroom_kms_audit_forward_backlog'
      assert.ok(isThere, `there is no metric ${metric}`)
    }
    assert.equal(existsSync(join(scratch, 'media/safe/root-access-key')), true)
  },
)

const analyze = '/usr/bin/systemd-analyze'

test(
  'the unit of docs/kms.md is one that systemd takes',
  { skip: existsSync(analyze) ? false : `${analyze} is not installed` },
  (t) => {
    const [unit = ''] = blocks('ini').filter((block) => block.includes('[Service]'))
    const file = join(scratchDirectory(t), 'strongroom-kms.service')
    writeFileSync(file, unit.replace('/opt/strongroom/bin/strongroom', program))
    const { status, stdout, stderr } = spawnSync(analyze, ['verify', '--man=no', file], { encoding: 'utf8' })
    assert.deepEqual([status, stdout + stderr], [0, ''])
  },
)
