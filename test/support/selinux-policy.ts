import { execFileSync, spawnSync } from 'node:child_process'
import { cpSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

export const selinuxDirectory = join(import.meta.dirname, '../../deploy/selinux')
/** Where Debian's selinux-policy-default has its modules; another folder by SELINUX_MODULES. */
export const distributionModules = process.env['SELINUX_MODULES'] ?? '/usr/share/selinux/default'

export type Access = readonly [source: string, target: string, objectClass: string]

/** Compiles our module as docs/mandatory-access-control.md says. Returns the file, and what the compilers had to say. */
export function compileModule(folder: string): { file: string; said: string } {
  const [module, file] = [join(folder, 'strongroom.mod'), join(folder, 'strongroom.pp')]
  const source = (name: string) => join(selinuxDirectory, name)
  const said =
    run('checkmodule', ['-M', '-m', '-o', module, source('strongroom.te')]) +
    run('semodule_package', ['-o', file, '-m', module, '-f', source('strongroom.fc')])
  return { file, said }
}

/** A policy in which nothing is allowed but what our module allows, and all that it requires is there. */
export function linkAlone(folder: string): SelinuxPolicy {
  const at = (name: string) => join(folder, name)
  const { file } = compileModule(folder)
  writeFileSync(at('base.conf'), baseFor(readFileSync(join(selinuxDirectory, 'strongroom.te'), 'utf8')))
  run('checkmodule', ['-M', '-o', at('base.mod'), at('base.conf')])
  run('semodule_package', ['-o', at('base.pp'), '-m', at('base.mod')])
  run('semodule_link', ['-o', at('linked.pp'), at('base.pp'), file])
  run('semodule_expand', [at('linked.pp'), at('policy')])
  return new SelinuxPolicy(at('policy'))
}

/** Our module, linked into the distribution's whole policy, whose assertions (neverallow) are checked; without ours: left out. */
export function linkIntoDistribution(folder: string): {
  policy: SelinuxPolicy
  without: SelinuxPolicy
  contexts: string
} {
  const root = join(folder, 'root')
  for (const path of ['etc/selinux/default/contexts/files', 'etc/selinux/default/policy', 'var/lib/selinux'])
    mkdirSync(join(root, path), { recursive: true })
  writeFileSync(join(root, 'etc/selinux/config'), 'SELINUX=permissive\nSELINUXTYPE=default\n')
  const none = '[sefcontext_compile]\npath = /bin/true\nargs = $@\n[end]\n'
  writeFileSync(join(root, 'etc/selinux/semanage.conf'), `module-store = direct\nexpand-check = 1\n${none}`)
  const install = (...files: string[]) =>
    run('semodule', [
      '--path',
      root,
      '--store=default',
      '--noreload',
      '--priority=100',
      '--install',
      ...files,
    ])
  install(...globSync(join(distributionModules, '*.pp*')))
  const [policy = ''] = globSync(join(root, 'etc/selinux/default/policy/policy.*'))
  cpSync(policy, join(folder, 'without'))
  install(compileModule(folder).file)
  return {
    policy: new SelinuxPolicy(policy),
    without: new SelinuxPolicy(join(folder, 'without')),
    contexts: join(root, 'etc/selinux/default/contexts/files/file_contexts'),
  }
}

/** A compiled policy, asked through checkpolicy's own menu: no kernel with SELinux is needed. Booleans are as by default. */
export class SelinuxPolicy {
  readonly #file: string

  constructor(file: string) {
    this.#file = file
  }

  /** What each access may do, sorted. Types that the policy doesn't know make it throw. */
  allowed(accesses: readonly Access[]): string[][] {
    const contexts = [
      ...new Set(accesses.flatMap(([source, target]) => [contextOf(source), contextOf(target)])),
    ]
    const asked = contexts.map((context) => `2\n${context}\n`).join('')
    const sids = [...this.#ask(asked).matchAll(/^(?:scontext\? +)?sid (\d+)$/gm)].map(([, sid]) => sid ?? '')
    if (sids.length !== contexts.length) throw new Error(`the policy lacks one of ${contexts.join(', ')}`)
    const sidOf = (type: string) => sids[contexts.indexOf(contextOf(type))] ?? ''
    const queries = accesses.map(
      ([source, target, name]) => `0\n${sidOf(source)}\n${sidOf(target)}\n${name}\n`,
    )
    const said = this.#ask(asked + queries.join(''))
    const answers = [...said.matchAll(/^allowed \{ ?(.*?) ?\}$/gm)].map(([, list = '']) =>
      list.split(' ').sort(),
    )
    if (answers.length !== accesses.length) throw new Error(said)
    return answers.map((permissions) => permissions.filter((permission) => permission !== ''))
  }

  #ask(input: string): string {
    const { stdout } = spawnSync('checkpolicy', ['-b', '-M', '-d', this.#file], {
      input: `${input}q\n`,
      encoding: 'utf8',
      maxBuffer: 64 * 1024 * 1024,
    })
    return stdout
  }
}

function contextOf(type: string): string {
  const isDomain = ['mysqld_t', 'strongroom_agent_t', 'init_t'].includes(type)
  return `system_u:${isDomain ? 'system_r' : 'object_r'}:${type}:s0`
}

/** A base module that declares what the other one requires. */
function baseFor(module: string): string {
  const required = /require \{\n(.*?)\n\}/s.exec(module)?.[1] ?? ''
  const all = (pattern: RegExp) => [...required.matchAll(pattern)]
  const classes = all(/class (\w+) (?:\{ ([^}]*) \}|(\w+));/g).map(([, name = '', list, one]) => ({
    name,
    permissions: list ?? one ?? '',
  }))
  return [
    ...classes.map(({ name }) => `class ${name}`),
    'sid kernel',
    ...classes.map(({ name, permissions }) => `class ${name} { ${permissions} }`),
    'sensitivity s0;',
    'dominance { s0 }',
    'category c0;',
    'level s0:c0;',
    'mlsconstrain file { read } ( h1 dom h2 );',
    ...all(/attribute (\w+);/g).map(([text]) => text),
    ...all(/type (\w+);/g).map(([text]) => text),
    'role system_r;',
    'role system_r types { init_t mysqld_t };',
    // A policy must have one rule.
    'allow init_t self:fd use;',
    'user system_u roles { system_r } level s0 range s0 - s0:c0;',
    'sid kernel system_u:system_r:init_t:s0',
    '',
  ].join('\n')
}

function run(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })
}
