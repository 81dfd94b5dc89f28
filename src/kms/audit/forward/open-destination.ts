import { readFileSync } from 'node:fs'
import { StrongroomError } from '../../../errors.ts'
import { systemReason } from '../../system-reason.ts'
import type { ForwardOptions } from '../options.ts'
import { httpDestination } from './http.ts'
import { streamDestination } from './syslog-stream.ts'
import { udpDestination } from './syslog-udp.ts'
import type { Destination } from './destination.ts'

/** Throws SR_CONFIG_INVALID for what can't be forwarded to. */
export function openDestination({ to, tokenFile, caFile }: ForwardOptions): Destination {
  const url = parseUrl(to)
  const ca = caFile === undefined ? undefined : readFile(caFile)
  switch (url.protocol) {
    case 'http:':
    case 'https:':
      return httpDestination(url, { ca, tokenFile })
    case 'syslog+udp:':
      return udpDestination(hostOf(url), portOf(url, 514))
    case 'syslog+tcp:':
      return streamDestination({ host: hostOf(url), port: portOf(url, 601), tls: undefined })
    case 'syslog:':
      throw invalid(
        to,
        'Node.js has no sockets such as /dev/log; syslog:udp://127.0.0.1 reaches most receivers',
      )
    case 'syslog+tls:':
      return streamDestination({ host: hostOf(url), port: portOf(url, 6514), tls: { ca } })
    default:
      throw invalid(to, 'it begins with http:, https:, syslog:udp:, syslog:tcp: or syslog:tls:')
  }
}

/** Node.js parses no URL with a colon in its scheme. */
function parseUrl(to: string): URL {
  const [, transport, rest] = /^syslog:(udp|tcp|tls):(.*)$/.exec(to) ?? []
  const url = URL.parse(transport === undefined ? to : `syslog+${transport}:${rest ?? ''}`)
  if (url === null) throw invalid(to, 'it has the form syslog:tcp://HOST:PORT or https://HOST/PATH')
  if (url.username !== '' || url.password !== '') {
    throw invalid(
      `${url.protocol}//${url.host}`,
      'a URL holds no password: a token for HTTP comes from a file',
    )
  }
  return url
}

function hostOf({ hostname, href }: URL): string {
  if (hostname === '') throw invalid(href, 'the host is missing')
  return hostname.replace(/^\[(.*)\]$/, '$1')
}

function portOf({ port }: URL, usual: number): number {
  return port === '' ? usual : Number(port)
}

function readFile(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new StrongroomError('SR_CONFIG_INVALID', `cannot read ${path} (${systemReason(error)})`, {
      cause: error,
    })
  }
}

function invalid(to: string, why: string): StrongroomError {
  return new StrongroomError('SR_CONFIG_INVALID', `the audit trail can't be forwarded to ${to}: ${why}`)
}
