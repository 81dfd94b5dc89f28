import { spawnSync } from 'node:child_process'
import { lstatSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { messageOf } from '../../errors.ts'
import { findProgram } from '../../mariadb/programs.ts'
import { type Looked, seen, unseen } from '../looked.ts'
import { readSmallFile } from './small-file.ts'

/** What MariaDB's option files say, as the next start of the server will read them. */
export interface OptionFacts {
  /** The options of the server, in order; names with underscores and without `loose_`. */
  readonly server: readonly (readonly [name: string, value: string])[]
  /** Each file that is read, in order. */
  readonly files: readonly OptionFile[]
}

export interface OptionFile {
  readonly path: string
  readonly holdsToken: boolean
  /** Names of AWS secrets that stand in it, such as `aws_secret_access_key`; comments count. */
  readonly awsSecrets: readonly string[]
}

/** The value that counts; undefined: it is not set. */
export function lastOf({ server }: OptionFacts, option: string): string | undefined {
  return server.findLast(([name]) => name === option)?.[1]
}

/** Of an option that may be given more than once. */
export function allOf({ server }: OptionFacts, option: string): string[] {
  return server.filter(([name]) => name === option).map(([, value]) => value)
}

/** `optionFile`: the one that the server is started with (--defaults-file); undefined: MariaDB's own. */
export function lookAtOptions(optionFile: string | undefined): Looked<OptionFacts> {
  try {
    const roots = optionFile === undefined ? defaultFiles() : [optionFile]
    // First as files: MariaDB's own reader would wait for a FIFO, and never come to the end of a device.
    const files = roots.flatMap((file) => filesFrom(file))
    return seen({ server: serverOptions(optionFile), files })
  } catch (error) {
    return unseen(`MariaDB's option files can not be read (${messageOf(error)})`)
  }
}

/** MariaDB's own reader, for its rules of quoting, of groups and of includes. */
function serverOptions(optionFile: string | undefined): OptionFacts['server'] {
  const lines = printDefaults([
    ...(optionFile === undefined ? [] : [`--defaults-file=${optionFile}`]),
    '--mysqld',
  ])
  return lines.map((line) => {
    const [, name = '', value] = /^--([^=]+)(?:=([^]*))?$/.exec(line) ?? []
    return [name.replaceAll('-', '_').replace(/^loose_/, ''), value ?? 'ON'] as const
  })
}

function defaultFiles(): string[] {
  const { stdout } = spawnSync(findProgram('my_print_defaults'), ['--help'], { encoding: 'utf8' })
  const list = /in the given order:\n(.*)\n/.exec(stdout)?.[1] ?? ''
  // What is in a home directory is for clients.
  return list.split(' ').filter((file) => file.startsWith('/'))
}

function printDefaults(args: readonly string[]): string[] {
  const { status, stdout, stderr, error } = spawnSync(findProgram('my_print_defaults'), args, {
    encoding: 'utf8',
    env: {},
    timeout: 10_000,
    killSignal: 'SIGKILL',
  })
  if (error !== undefined) throw error
  if (status !== 0) throw new Error(stderr.split('\n')[0])
  return stdout.split('\n').filter((line) => line.startsWith('--'))
}

const deepest = 10

/** Follows `!include` and `!includedir`, of which MariaDB takes `*.cnf` in the order of their names. */
function filesFrom(path: string, depth = 0): OptionFile[] {
  if (depth > deepest || lstatSync(path, { throwIfNoEntry: false }) === undefined) return []
  const text = readSmallFile(path).toString('utf8')
  const included = [...text.matchAll(/^\s*!(include|includedir)\s+(\S.*?)\s*$/gm)].flatMap(
    ([, word, target = '']) => (word === 'include' ? [target] : optionFilesIn(target)),
  )
  return [fileFrom(path, text), ...included.flatMap((file) => filesFrom(file, depth + 1))]
}

function optionFilesIn(folder: string): string[] {
  const isThere = lstatSync(folder, { throwIfNoEntry: false }) !== undefined
  const names = isThere ? readdirSync(folder).filter((name) => name.endsWith('.cnf')) : []
  return names.sort().map((name) => join(folder, name))
}

function fileFrom(path: string, text: string): OptionFile {
  return {
    path,
    holdsToken: /^\s*(?:loose[-_])?hashicorp[-_]key[-_]management[-_]token\s*=\s*\S/m.test(text),
    awsSecrets: awsSecretsIn(text),
  }
}

/** By their names in AWS's files and in environments, however they are written. */
export function awsSecretsIn(text: string): string[] {
  const found = [
    ...text.matchAll(
      /\baws[-_]?(secret[-_]?access[-_]?key|session[-_]?token)["']?\s*[=:]\s*["']?[A-Za-z0-9/+]{16}/gi,
    ),
  ]
  return [...new Set(found.map(([, name = '']) => `aws_${name.toLowerCase().replaceAll('-', '_')}`))]
}
