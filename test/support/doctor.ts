import type { Check } from '../../src/doctor/check.ts'
import type { Examined } from '../../src/doctor/examined.ts'
import { isFinding } from '../../src/doctor/finding.ts'
import { type Looked, seen, unseen } from '../../src/doctor/looked.ts'
import type { ServerFacts } from '../../src/doctor/look/server.ts'

/** A host of which nothing could be looked at, but for what a test says. */
export function examinedWith(parts: Partial<Examined>): Examined {
  const nothing = unseen('not in this test')
  return {
    configFile: '/etc/strongroom/agent.conf',
    version: '1.2.3',
    now: new Date('2026-11-25T12:00:00Z'),
    config: nothing,
    keyring: nothing,
    agent: nothing,
    examination: nothing,
    store: nothing,
    tokens: new Map(),
    vaultListener: undefined,
    options: nothing,
    pluginLoad: nothing,
    dataDirectory: nothing,
    data: nothing,
    server: nothing,
    serverUser: nothing,
    processes: nothing,
    agentAccessKeyIds: new Set(),
    files: nothing,
    host: nothing,
    serverMemory: nothing,
    agentMemory: nothing,
    ...parts,
  }
}

/** A server with these variables, and other facts where they are said. */
export function serverWith(
  variables: Readonly<Record<string, string>>,
  facts: Partial<ServerFacts> = {},
): Looked<ServerFacts> {
  return seen({
    socket: '/run/mysqld/mysqld.sock',
    variables: new Map(Object.entries(variables)),
    keyPlugins: [],
    primaries: [],
    pid: 4711,
    ...facts,
  })
}

/** What a check finds, each time by its code. Throws where it could not look. */
export function codesFound(check: Check, examined: Examined): string[] {
  return check.run(examined).map((result) => {
    if (isFinding(result)) return result.code
    throw new Error(`${check.about} was not checked: ${result.notChecked}`)
  })
}
