import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { apparmorDirectory, FileRules } from '../support/apparmor-profile.ts'
import { throughEachListener } from '../support/each-listener.ts'
import { cannotTrace, socketKindsIn, tracing, type Use, usesIn } from '../support/file-trace.ts'
import { servedKeys } from '../support/key-client.ts'
import { agentIsReady, agentStack } from '../support/running-stack.ts'
import { scratchDirectory } from '../support/scratch.ts'
import { strongroom } from '../support/strongroom.ts'
import { until } from '../support/until.ts'

/*
 * No kernel that tests run on has AppArmor, so the profile is held against what the agent does: every file that it opens, runs,
 * maps, makes or removes must be one that the rules, as apparmor_parser reads them, let it have.
 */

const profile = join(apparmorDirectory, 'strongroom-agent')
const repository = join(import.meta.dirname, '../..')
const skip =
  cannotTrace ||
  (spawnSync('apparmor_parser', ['--version']).status === 0 ? false : 'apparmor_parser is not installed')

throughEachListener((listener) => {
  test('the agent needs no file and no socket that its AppArmor profile refuses', { skip }, async (t) => {
    const folder = scratchDirectory(t)
    const file = join(folder, 'trace')
    const stack = await agentStack({ listener, agentWrapper: tracing(file) })
    t.after(() => stack.remove())
    const notify = notifySocket(t, folder)
    // As systemd starts it; the keys of the first are there then.
    await servedKeys(stack, [1])
    await stack.agent.stop()
    await stack.startAgent({ environment: { NOTIFY_SOCKET: notify, NODE_DISABLE_COMPILE_CACHE: '1' } })
    await until('the agent is ready', () => agentIsReady(stack))
    await servedKeys(stack, [1, 2])
    const config = ['--config', join(stack.agentDirectory, 'agent.conf')]
    assert.equal((await strongroom(['keys', 'rotate', '2', ...config])).code, 0)
    await stack.agent.stop()

    const places = installedPlaces(stack, notify)
    const uses = usesIn(file).map(({ path, rights }) => ({ path: installed(path, places), rights }))
    const rules = new FileRules(profile)
    const refused = uses.filter(({ path, rights }) => !isOutside(path) && !rules.allow(path, rights))
    assert.deepEqual(refused, [])

    // The trace has seen what an agent does.
    const done = (path: RegExp, right: Use['rights'][number]) => {
      assert.ok(
        uses.some((use) => path.test(use.path) && use.rights.includes(right)),
        `${right} ${String(path)}`,
      )
    }
    done(/^\/etc\/strongroom\/agent\.conf$/, 'r')
    done(/^\/etc\/strongroom\/credentials$/, 'r')
    done(/^\/var\/lib\/mysql\/aws-kms-key\.2\.2$/, 'l')
    done(/^\/var\/lib\/mysql\/\.aws-kms-key\..*\.tmp$/, 'w')
    done(/^\/var\/lib\/mysql\/aws-kms-key\.keyring\.json$/, 'w')
    done(/^\/run\/strongroom\/admin\.sock$/, 'w')
    done(/^\/run\/systemd\/notify$/, 'w')
    done(/\/bin\/systemd-notify$/, 'x')
    if (listener === 'plugin') done(/^\/run\/strongroom\/mariadb\/agent\.sock$/, 'w')
    else done(/^\/etc\/strongroom\/mariadb\.token$/, 'r')
    assert.ok(!uses.some(({ path }) => /ibdata|ib_logfile/.test(path)))
    assert.deepEqual(socketKindsIn(file), [
      'AF_INET SOCK_STREAM',
      'AF_UNIX SOCK_DGRAM',
      'AF_UNIX SOCK_STREAM',
    ])
  })
})

/** Where the parts of a stack are when they are installed. The longest comes first. */
function installedPlaces(stack: Stack, notify: string): [from: string, to: string][] {
  return [
    [notify, '/run/systemd/notify'],
    [join(stack.agentDirectory, 'admin.sock'), '/run/strongroom/admin.sock'],
    [stack.agentDirectory, '/etc/strongroom'],
    [stack.dataDirectory, '/var/lib/mysql'],
    [join(stack.directory, 'run'), '/run/strongroom'],
    [repository, '/opt/strongroom'],
  ]
}

function installed(path: string, places: readonly (readonly [from: string, to: string])[]): string {
  const place = places.find(([from]) => path === from || path.startsWith(`${from}/`))
  return place === undefined ? path : `${place[1]}${path.slice(place[0].length)}`
}

/** The way to the checkout and the scratch directory, which is none once it is installed. */
function isOutside(path: string): boolean {
  return path.endsWith('/') && (repository.startsWith(path) || '/tmp/'.startsWith(path))
}

/** What systemd would hear it at: a datagram socket, which Node.js has none of, so Perl listens. */
function notifySocket(t: TestContext, folder: string): string {
  mkdirSync(join(folder, 'notify'))
  const socket = join(folder, 'notify/socket')
  const program = `use Socket; socket(my $s, PF_UNIX, SOCK_DGRAM, 0) or die; bind($s, sockaddr_un($ARGV[0])) or die;
    while (defined recv($s, my $m, 4096, 0)) {}`
  const child = spawn('perl', ['-e', program, socket], { stdio: 'ignore' })
  t.after(() => child.kill('SIGKILL'))
  return socket
}
