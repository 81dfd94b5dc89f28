import type { Check } from '../check.ts'
import { type Finding, notChecked } from '../finding.ts'
import { isSeen } from '../looked.ts'

/** Without a valid configuration the agent does not start. */
export const configuration: Check = {
  about: "the agent's configuration",
  run: ({ config, keyring, configFile }) => {
    if (isSeen(config)) return isSeen(keyring) ? [] : [notChecked(keyring.unseen)]
    if (config.isForbidden === true) return [notChecked(config.unseen)]
    return [
      {
        code: 'SRD_CONFIGURATION',
        where: configFile,
        what: config.unseen,
        remedy: 'correct it: an agent that is started now ends at once',
      },
    ]
  },
}

/** Whether there is an agent, and it holds what the store holds. */
export const runningAgent: Check = {
  about: 'the running agent',
  run: ({ agent, config, keyring, configFile, version }) => {
    if (!isSeen(config) || !isSeen(keyring)) return [notChecked('its configuration can not be read')]
    const { adminSocket } = config.seen
    if (adminSocket === undefined)
      return [
        {
          code: 'SRD_ADMIN_SOCKET',
          where: `${configFile}: [agent]`,
          what: 'has no admin-socket, so neither doctor nor `strongroom keys` can ask the agent anything',
          remedy: 'set admin-socket = /run/strongroom/admin.sock and restart the agent',
        },
      ]
    if (!isSeen(agent) && agent.isForbidden === true) return [notChecked(agent.unseen)]
    if (!isSeen(agent) && agent.isRefused === true) return [strange(adminSocket, agent.unseen)]
    if (!isSeen(agent))
      return [
        {
          code: 'SRD_AGENT_DOWN',
          where: adminSocket,
          what: agent.unseen,
          remedy:
            'start it (systemctl start strongroom-agent) and read its log: a running server goes on, and does not start again without it',
        },
      ]
    return [
      ...readiness(agent.seen, keyring.seen.name),
      ...comparison(agent.seen),
      ...age(agent.seen.agent, version),
    ]
  },
}

/** An older release knows no such request, and an agent that was started with another configuration no such keyring. */
function strange(adminSocket: string, said: string): Finding {
  return {
    code: 'SRD_RESTART_PENDING',
    where: adminSocket,
    what: `the agent there runs and can not be asked to examine this keyring: it is of another release, or was started with another configuration; it ${said}`,
    remedy:
      'restart it when it suits (systemctl restart strongroom-agent; a running server is not disturbed), and run doctor again: what only the agent can tell was not checked',
  }
}

type Seen = Extract<Parameters<Check['run']>[0]['agent'], { seen: unknown }>['seen']

function readiness({ agent: { isReady }, keys }: Seen, keyring: string): Finding[] {
  const missing = keys.filter(({ inMemory, isStray }) => inMemory === 'none' && !isStray)
  if (isReady && missing.length === 0) return []
  const which = missing.map(({ keyId, version }) => `key ${keyId}, version ${version}`).join('; ')
  return [
    {
      code: 'SRD_AGENT_NOT_READY',
      where: `keyring ${keyring}`,
      what:
        which === ''
          ? 'the agent does not hold every key of it'
          : `the agent does not hold keys whose files are good: ${which}`,
      remedy: 'see the other findings and its log (journalctl -u strongroom-agent); it tries again by itself',
    },
  ]
}

function comparison({ keys }: Seen): Finding[] {
  return keys
    .filter(({ inMemory }) => inMemory === 'other')
    .map(({ file }) => ({
      code: 'SRD_AGENT_KEYS_DIFFER',
      where: file,
      what: 'unwraps to another key than the one that the agent holds and serves: after its restart data under the present key is unreadable',
      remedy: 'put the former file back from the backup before the agent is restarted',
    }))
}

function age(agent: Seen['agent'], version: string): Finding[] {
  if (agent.version === version) return []
  return [
    {
      code: 'SRD_RESTART_PENDING',
      where: `process ${agent.pid}`,
      what: `is the agent of release ${agent.version}; ${version} is installed`,
      remedy:
        'restart it when it suits (systemctl restart strongroom-agent); a running server is not disturbed',
    },
  ]
}
