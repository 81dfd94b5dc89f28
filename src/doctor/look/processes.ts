import { readdirSync, readFileSync, statSync } from 'node:fs'
import { type Looked, seen, unseen } from '../looked.ts'

/** Another process of the host, as far as it concerns keys. No value of its environment is kept but the id of an access key. */
export interface ProcessFacts {
  readonly pid: number
  readonly uid: number
  /** The program's name, of 15 letters. */
  readonly name: string
  /** AWS_SECRET_ACCESS_KEY is set. */
  readonly hasAwsSecret: boolean
  /** VAULT_TOKEN is one of the agent's tokens. */
  readonly hasKeyringToken: boolean
  readonly accessKeyId: string | undefined
  /** AWS_SHARED_CREDENTIALS_FILE. */
  readonly credentialsFile: string | undefined
  /** MALLOC_PERTURB_ is set to something else than 0. */
  readonly wipesFreedMemory: boolean
}

/** Of all processes; of those that may not be looked at, nothing. */
export interface Processes {
  readonly looked: readonly ProcessFacts[]
  readonly closed: readonly { readonly pid: number; readonly name: string }[]
}

/** The environment that each process was started with: what it changed since is its own memory. */
export function lookAtProcesses(tokens: readonly string[]): Looked<Processes> {
  const looked: ProcessFacts[] = []
  const closed: { pid: number; name: string }[] = []
  try {
    for (const name of readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue
      const facts = factsOf(Number(name), tokens)
      if (facts === 'closed') closed.push({ pid: Number(name), name: nameOf(Number(name)) })
      else if (facts !== undefined) looked.push(facts)
    }
  } catch {
    return unseen('/proc can not be read')
  }
  return seen({ looked, closed })
}

function factsOf(pid: number, tokens: readonly string[]): ProcessFacts | 'closed' | undefined {
  try {
    const variables = environmentOf(pid)
    return {
      pid,
      uid: statSync(`/proc/${pid}`).uid,
      name: nameOf(pid),
      hasAwsSecret: (variables.get('AWS_SECRET_ACCESS_KEY') ?? '') !== '',
      hasKeyringToken: tokens.includes(variables.get('VAULT_TOKEN') ?? ''),
      accessKeyId: variables.get('AWS_ACCESS_KEY_ID'),
      credentialsFile: variables.get('AWS_SHARED_CREDENTIALS_FILE'),
      wipesFreedMemory: !['', '0'].includes(variables.get('MALLOC_PERTURB_') ?? ''),
    }
  } catch (error) {
    const isClosed =
      error instanceof Error && 'code' in error && ['EACCES', 'EPERM'].includes(String(error.code))
    // It may have ended meanwhile.
    return isClosed ? 'closed' : undefined
  }
}

function nameOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim()
  } catch {
    return ''
  }
}

function environmentOf(pid: number): Map<string, string> {
  const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
  return new Map(
    variables.map((line) => {
      const end = line.indexOf('=')
      return [line.slice(0, Math.max(0, end)), line.slice(end + 1)]
    }),
  )
}
