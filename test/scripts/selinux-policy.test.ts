import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { scratchDirectory } from '../support/scratch.ts'
import {
  type Access,
  compileModule,
  distributionModules,
  linkAlone,
  linkIntoDistribution,
  selinuxDirectory,
  type SelinuxPolicy,
} from '../support/selinux-policy.ts'

const skip = ['checkmodule', 'semodule_package', 'checkpolicy', 'matchpathcon'].every(
  (program) => spawnSync('which', [program]).status === 0,
)
  ? false
  : 'the compilers of SELinux are not installed (checkpolicy, semodule-utils, selinux-utils)'

const noDistribution =
  skip ||
  (existsSync(join(distributionModules, 'mysql.pp.bz2'))
    ? false
    : `no distribution's policy in ${distributionModules} (Debian: selinux-policy-default; SELINUX_MODULES names another folder)`)

/** What mysqld_t must be able to do. */
const needed: readonly (readonly [...Access, permissions: readonly string[]])[] = [
  ['mysqld_t', 'strongroom_agent_port_t', 'tcp_socket', ['name_connect']],
  ['mysqld_t', 'strongroom_agent_runtime_t', 'dir', ['search']],
  ['mysqld_t', 'strongroom_agent_socket_t', 'dir', ['search']],
  ['mysqld_t', 'strongroom_agent_socket_t', 'sock_file', ['getattr', 'write']],
  ['mysqld_t', 'strongroom_agent_t', 'unix_stream_socket', ['connectto']],
  [
    'mysqld_t',
    'strongroom_key_t',
    'file',
    ['getattr', 'ioctl', 'link', 'lock', 'map', 'open', 'read', 'rename', 'setattr', 'unlink'],
  ],
  ['strongroom_agent_t', 'strongroom_agent_port_t', 'tcp_socket', ['name_bind']],
  ['strongroom_agent_t', 'http_port_t', 'tcp_socket', ['name_connect']],
  ['strongroom_agent_t', 'strongroom_kms_port_t', 'tcp_socket', ['name_connect']],
  ['strongroom_agent_t', 'mysqld_db_t', 'file', ['getattr', 'ioctl', 'open', 'read', 'unlink']],
  ['init_t', 'strongroom_agent_t', 'process2', ['nnp_transition', 'nosuid_transition']],
]

/** What nobody may, who is confined. */
const refused: readonly Access[] = [
  ['mysqld_t', 'strongroom_agent_etc_t', 'file'],
  ['mysqld_t', 'strongroom_agent_etc_t', 'dir'],
  ['mysqld_t', 'strongroom_agent_runtime_t', 'sock_file'],
  ['mysqld_t', 'strongroom_agent_t', 'file'],
  ['mysqld_t', 'strongroom_agent_t', 'process'],
  ['mysqld_t', 'strongroom_kms_port_t', 'tcp_socket'],
  ['mysqld_t', 'http_port_t', 'tcp_socket'],
]

test('the SELinux module compiles, and the compilers have nothing to say', { skip }, (t) => {
  const { file, said } = compileModule(scratchDirectory(t))
  assert.equal(said, '')
  assert.ok(existsSync(file))
})

test('it allows the agent and MariaDB what they need, and nothing beside', { skip }, (t) => {
  const policy = linkAlone(scratchDirectory(t))
  assertAllowed(policy)
  assert.deepEqual(
    policy.allowed(refused),
    refused.map(() => []),
  )
  const [process = [], own = []] = policy.allowed([
    ['strongroom_agent_t', 'strongroom_agent_t', 'process'],
    ['strongroom_agent_t', 'mysqld_t', 'process'],
  ])
  assert.ok(process.includes('fork'))
  for (const dangerous of ['execmem', 'execheap', 'ptrace', 'setcurrent', 'setexec'])
    assert.ok(!process.includes(dangerous), dangerous)
  assert.deepEqual(own, [])
})

const labels: readonly (readonly [path: string, kind: string, type: string])[] = [
  ['/opt/strongroom/bin/strongroom', 'file', 'strongroom_agent_exec_t'],
  ['/opt/strongroom/dist/cli/main.js', 'file', '<<none>>'],
  ['/etc/strongroom', 'dir', 'strongroom_agent_etc_t'],
  ['/etc/strongroom/agent.conf', 'file', 'strongroom_agent_etc_t'],
  ['/etc/strongroom/aws-credentials', 'file', 'strongroom_agent_etc_t'],
  ['/usr/lib/systemd/system/strongroom-agent.service', 'file', 'strongroom_agent_unit_t'],
  ['/usr/lib/systemd/system/strongroom-agent.service.d/credentials.conf', 'file', 'strongroom_agent_unit_t'],
  ['/usr/lib/systemd/system/strongroom-agentXservice', 'file', '<<none>>'],
  ['/run/strongroom', 'dir', 'strongroom_agent_runtime_t'],
  ['/run/strongroom/admin.sock', 'socket', 'strongroom_agent_runtime_t'],
  ['/run/strongroom/mariadb', 'dir', 'strongroom_agent_socket_t'],
  ['/run/strongroom/mariadb/agent.sock', 'socket', 'strongroom_agent_socket_t'],
  ['/var/run/strongroom/mariadb/agent.sock', 'socket', 'strongroom_agent_socket_t'],
  ['/var/lib/mysql/aws-kms-key.1.1', 'file', 'strongroom_key_t'],
  ['/var/lib/mysql/aws-kms-key.4294967295.12', 'file', 'strongroom_key_t'],
  ['/var/lib/mysql/aws-kms-key.keyring.json', 'file', 'strongroom_key_t'],
  ['/var/lib/mysql/.aws-kms-key.03654d24ffa81c64.tmp', 'file', 'strongroom_key_t'],
  ['/var/lib/mysql/ibdata1', 'file', '<<none>>'],
  ['/var/lib/mysql/payroll/aws-kms-key.1.1', 'file', '<<none>>'],
  ['/var/lib/mysql-files/rows.csv', 'file', 'mysqld_db_t'],
]

test('each file gets its label', { skip }, (t) => {
  const contexts = join(selinuxDirectory, 'strongroom.fc')
  const compiled = join(scratchDirectory(t), 'contexts')
  execFileSync('sefcontext_compile', ['-o', compiled, contexts])
  for (const [path, kind, type] of labels) assert.equal(labelOf(contexts, path, kind), type, path)
})

test(
  'it links into the policy of the distribution, which keeps its promises',
  { skip: noDistribution },
  (t) => {
    const { policy, without, contexts } = linkIntoDistribution(scratchDirectory(t))
    assertAllowed(policy)
    assert.deepEqual(
      policy.allowed(refused),
      refused.map(() => []),
    )
    // mysql_connect_any is off: the port of the agent is what our module adds, and all that it adds.
    const ports = ['unreserved_port_t', 'port_t', 'http_port_t', 'mysqld_port_t', 'smtp_port_t', 'ssh_port_t']
    const asked = ports.map((port): Access => ['mysqld_t', port, 'tcp_socket'])
    assert.deepEqual(policy.allowed(asked), without.allowed(asked))
    assert.deepEqual(policy.allowed(asked), [[], [], [], ['name_bind', 'name_connect'], [], []])
    for (const [path, kind, type] of labels) {
      // Their policy has labels for the others.
      if (type !== '<<none>>') assert.equal(labelOf(contexts, path, kind), type, path)
    }
  },
)

function assertAllowed(policy: SelinuxPolicy): void {
  const answers = policy.allowed(needed.map(([source, target, name]) => [source, target, name]))
  for (const [index, [source, target, name, permissions]] of needed.entries())
    assert.deepEqual(answers[index], permissions, `${source} ${target} ${name}`)
}

function labelOf(contexts: string, path: string, kind: string): string {
  const said = execFileSync('matchpathcon', ['-n', '-f', contexts, '-m', kind, path], { encoding: 'utf8' })
  return said.trim().split(':')[2] ?? said.trim()
}
