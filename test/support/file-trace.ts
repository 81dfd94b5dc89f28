import { existsSync, readFileSync, realpathSync, statSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import type { Right } from './apparmor-profile.ts'

export const cannotTrace =
  spawnSync('strace', ['--version']).status === 0
    ? false
    : 'strace, which tells what the agent opens, is not installed'

/** A command that runs another one and writes its calls about files and sockets to a file. */
export function tracing(file: string): string[] {
  // The tracer is the child, so that whoever ends the command ends the traced program. The filter in the kernel keeps it quick.
  const calls = '--trace=%file,mmap,socket,bind,connect,sendmsg,fchown,fchmod'
  return [
    'strace',
    '--daemonize',
    '--follow-forks',
    '--seccomp-bpf',
    '--decode-fds=path',
    '--string-limit=4096',
    calls,
    '-o',
    file,
  ]
}

export interface Use {
  readonly path: string
  readonly rights: readonly Right[]
}

/** What was done to which file, with the rights that AppArmor asks for it; what failed because nothing is there is left out. */
export function usesIn(file: string): Use[] {
  const uses = new Map<string, Use>()
  for (const { name, text, failed } of callsIn(file)) {
    if (failed) continue
    for (const use of usesOf(name, text)) uses.set(`${use.path} ${use.rights.join('')}`, use)
  }
  return [...uses.values()]
}

/** Such as `AF_INET SOCK_STREAM`. */
export function socketKindsIn(file: string): string[] {
  const kinds = callsIn(file)
    .filter(({ name }) => name === 'socket')
    .map(({ text }) => /(AF_\w+), (SOCK_[A-Z]+)/.exec(text))
  return [...new Set(kinds.map((kind) => `${kind?.[1] ?? '?'} ${kind?.[2] ?? '?'}`))].sort()
}

/** AppArmor needs no right for looking at attributes, nor for a symbolic link: apparmor(7), apparmor.d(5). */
function usesOf(name: string, text: string): Use[] {
  const [first, second] = [...text.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map(([, path = '']) => path)
  const onDescriptor = /\(\d+<(\/[^>]*)>/.exec(text)?.[1]
  switch (name) {
    case 'open':
    case 'openat':
      return [{ path: absolute(text, first, text.includes('O_DIRECTORY')), rights: rightsOfOpen(text) }]
    case 'execve':
      return [{ path: absolute(text, first), rights: ['r', 'x'] }]
    case 'mmap': {
      const mapped = /PROT_EXEC.*, \d+<(\/[^>]*)>/.exec(text)?.[1]
      return mapped === undefined ? [] : [{ path: mapped, rights: ['r', 'm'] }]
    }
    case 'link':
    case 'linkat':
      return [{ path: absolute(text, second), rights: ['l'] }]
    case 'rename':
    case 'renameat2':
      return [
        { path: absolute(text, first), rights: ['r', 'w'] },
        { path: absolute(text, second), rights: ['w'] },
      ]
    case 'unlink':
    case 'chmod':
    case 'chown':
    case 'truncate':
      return [{ path: absolute(text, first), rights: ['w'] }]
    case 'mkdir':
    case 'rmdir':
      return [{ path: absolute(text, first, true), rights: ['w'] }]
    case 'fchown':
    case 'fchmod':
      return onDescriptor === undefined ? [] : [{ path: onDescriptor, rights: ['w'] }]
    case 'bind':
    case 'connect':
    case 'sendmsg': {
      const socket = /sun_path="(\/[^"]*)"/.exec(text)?.[1]
      return socket === undefined ? [] : [{ path: socket, rights: ['w'] }]
    }
    default:
      return []
  }
}

function rightsOfOpen(text: string): Right[] {
  if (text.includes('O_RDWR')) return ['r', 'w']
  return /O_WRONLY|O_CREAT|O_TRUNC/.test(text) ? ['w'] : ['r']
}

/**
 * As AppArmor sees it: without symbolic links, a directory's path with a slash at its end. Behind AT_FDCWD strace shows the working
 * directory. `/proc/self` is some process's.
 */
function absolute(text: string, path = '', directory = false): string {
  const base = /\(AT_FDCWD<([^>]*)>/.exec(text)?.[1] ?? '/'
  const full = (path.startsWith('/') ? path : `${base}/${path}`).replace(/^\/proc\/self\//, '/proc/1/')
  const real = existsSync(full) && !full.startsWith('/proc/') ? realpathSync(full) : full
  const isDirectory = directory || (existsSync(real) && statSync(real).isDirectory())
  return isDirectory && !real.endsWith('/') ? `${real}/` : real
}

interface Call {
  readonly name: string
  readonly text: string
  readonly failed: boolean
}

function callsIn(file: string): Call[] {
  const begun = new Map<string, string>()
  const calls: Call[] = []
  for (const line of readFileSync(file, 'utf8').split('\n')) {
    const [, pid = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? []
    if (rest.endsWith('<unfinished ...>')) {
      begun.set(pid, rest.slice(0, -'<unfinished ...>'.length))
      continue
    }
    const end = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest)?.[1]
    const text = end === undefined ? rest : `${begun.get(pid) ?? ''}${end}`
    const name = /^(\w+)\(/.exec(text)?.[1]
    if (name !== undefined) calls.push({ name, text, failed: /= -1 (ENOENT|ENOTDIR|EEXIST)/.test(text) })
  }
  return calls
}
