import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { messageOf, StrongroomError, systemCode } from '../../../errors.ts'
import { parseDuration } from '../../../master-key-window/duration.ts'
import {
  parseWindowList,
  requireArn,
  requireKeyringId,
  type WantedServer,
} from '../../../master-key-window/window-list.ts'
import { parseArguments } from '../../arguments.ts'
import { awsOptions } from '../../aws-options.ts'
import { stateDirectoryFrom } from './state-option.ts'

export interface WindowOptions {
  readonly servers: readonly WantedServer[]
  /** Milliseconds. */
  readonly lasts: number
  readonly evenIfEnabled: boolean
  readonly atOnce: number
  /** Milliseconds; undefined: the audit trail is not asked. */
  readonly auditPatience: number | undefined
  readonly recoverOnly: boolean
  readonly json: boolean
  readonly stateDirectory: string
  readonly aws: { readonly [Name in keyof typeof awsOptions]?: string | undefined }
}

const ordinaryTime = '2m'
/** AWS may need five minutes until a grant has arrived everywhere. */
const timeForGrants = '10m'
const bounds = { least: '1s', most: '12h' }
const auditBounds = { least: '0s', most: '1h' }

/** Throws SR_USAGE. */
export function parseWindowOptions(args: readonly string[]): WindowOptions {
  const { values, positionals } = parseArguments({
    args: [...args],
    allowPositionals: true,
    options: {
      ...awsOptions,
      for: { type: 'string' },
      'until-ready': { type: 'string' },
      list: { type: 'string' },
      grant: { type: 'string' },
      'keyring-id': { type: 'string' },
      expect: { type: 'string' },
      'even-if-enabled': { type: 'boolean', default: false },
      'at-once': { type: 'string', default: '10' },
      'audit-wait': { type: 'string', default: '0s' },
      'no-audit': { type: 'boolean', default: false },
      recover: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      'state-directory': { type: 'string' },
    },
  })
  const servers = values.recover ? noServers(positionals) : serversFrom(values, positionals)
  const usual = servers.some(({ grant }) => grant !== undefined) ? timeForGrants : ordinaryTime
  return {
    servers,
    lasts: parseDuration(values.for ?? usual, '--for', bounds),
    evenIfEnabled: values['even-if-enabled'],
    atOnce: parseCount(values['at-once']),
    auditPatience: values['no-audit']
      ? undefined
      : parseDuration(values['audit-wait'], '--audit-wait', auditBounds),
    recoverOnly: values.recover,
    json: values.json,
    stateDirectory: stateDirectoryFrom(values['state-directory']),
    aws: values,
  }
}

interface ServerValues {
  readonly list?: string | undefined
  readonly grant?: string | undefined
  readonly expect?: string | undefined
  readonly 'until-ready'?: string | undefined
  readonly 'keyring-id'?: string | undefined
}

function serversFrom(values: ServerValues, keys: readonly string[]): WantedServer[] {
  const { list, grant, expect, 'until-ready': untilReady, 'keyring-id': keyringId } = values
  if (grant !== undefined) requireArn(grant, '--grant')
  if (expect !== undefined) requireArn(expect, '--expect')
  if (keyringId !== undefined) requireKeyringId(keyringId, '--keyring-id')
  if (untilReady?.trim() === '')
    throw new StrongroomError('SR_USAGE', '--until-ready takes a URL or a command')
  const ofLine = { untilReady, grant, keyringId, expect }
  const named = keys.map((key) => ({ key, ...ofLine }))
  const listed = list === undefined ? [] : parseWindowList(readList(list), list)
  // What the command line says is for the lines that don't say it.
  const servers = [
    ...named,
    ...listed.map((server) => ({
      key: server.key,
      untilReady: server.untilReady ?? untilReady,
      grant: server.grant ?? grant,
      keyringId: server.keyringId ?? keyringId,
      expect: server.expect ?? expect,
    })),
  ]
  if (servers.length === 0)
    throw new StrongroomError('SR_USAGE', 'master-key window takes a key, or --list FILE')
  if (servers.some((server) => server.keyringId !== undefined && server.grant === undefined)) {
    throw new StrongroomError(
      'SR_USAGE',
      'a keyring id bounds a grant: it goes with --grant (or grant= in a list)',
    )
  }
  return servers
}

function noServers(keys: readonly string[]): WantedServer[] {
  if (keys.length === 0) return []
  throw new StrongroomError(
    'SR_USAGE',
    '--recover takes no key: it closes whatever earlier windows left open',
  )
}

function readList(path: string): string {
  try {
    return readFileSync(path === '-' ? 0 : path, 'utf8')
  } catch (error) {
    throw new StrongroomError('SR_USAGE', `cannot read ${path} (${systemCode(error) ?? messageOf(error)})`)
  }
}

function parseCount(text: string): number {
  const { data } = z.coerce.number().int().min(1).max(100).safeParse(text)
  if (data !== undefined) return data
  throw new StrongroomError('SR_USAGE', `--at-once takes a number from 1 to 100; "${text}" is none`)
}
