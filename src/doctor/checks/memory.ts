import type { Check } from '../check.ts'
import { type Finding, type Outcome } from '../finding.ts'
import type { MemoryFacts } from '../look/host.ts'
import { given, isSeen } from '../looked.ts'

/** What is in memory must not get to a disk in the clear. */
export const swap: Check = {
  about: 'swap without encryption',
  run: ({ host, agentMemory, serverMemory }) =>
    given(host, ({ openSwap }) => {
      const reachable = [
        ...(isSeen(agentMemory) && agentMemory.seen.isKeptFromSwap ? [] : ['the agent']),
        ...(isSeen(serverMemory) && isKeptInMemory(serverMemory.seen) ? [] : ['MariaDB']),
      ]
      if (openSwap.length === 0 || reachable.length === 0) return []
      return [
        {
          code: 'SRD_SWAP',
          where: openSwap.join(', '),
          what: `is not encrypted, and the memory of ${reachable.join(' and ')} may be written there, with data keys in it`,
          remedy:
            'turn swap off, encrypt it (crypttab, with a random key), or set MemorySwapMax=0 in the units',
        },
      ]
    }),
}

function isKeptInMemory({ isKeptFromSwap, locked }: MemoryFacts): boolean {
  return isKeptFromSwap || locked > 0
}

export const coreDumps: Check = {
  about: 'core dumps',
  run: ({ agentMemory, serverMemory }): Outcome => [
    ...given(agentMemory, (facts) => coreFinding('the agent', 'strongroom-agent', facts)),
    ...given(serverMemory, (facts) => coreFinding('MariaDB', 'mariadb', facts)),
  ],
}

function coreFinding(who: string, unit: string, { coreLimit }: MemoryFacts): Finding[] {
  if (coreLimit === '0') return []
  return [
    {
      code: 'SRD_CORE_DUMPS',
      where: who,
      what: `may write a core dump when it crashes (limit ${coreLimit}), with data keys in it`,
      remedy: `set LimitCORE=0 in ${unit}.service${unit === 'mariadb' ? ', and no core-file in the option files' : ''}, and restart it`,
    },
  ]
}

/** MariaDB says nothing louder than a warning in its log when it may not lock its memory. */
export const lockedMemory: Check = {
  about: 'memory that is to be locked',
  run: ({ server, serverMemory }) =>
    given(server, ({ variables }) => {
      if (variables.get('locked_in_memory') !== 'ON') return []
      return given(serverMemory, ({ locked }) =>
        locked > 0
          ? []
          : [
              {
                code: 'SRD_MEMLOCK',
                where: 'MariaDB, option memlock',
                what: 'is set, and yet no memory of the server is locked',
                remedy: 'set LimitMEMLOCK=infinity in mariadb.service, and restart it',
              },
            ],
      )
    }),
}

/** The stock Vault plugin frees its answer without wiping it, and Aria writes freed memory into the unused parts of its files. */
export const freedMemory: Check = {
  about: "what MariaDB's stock plugin leaves in freed memory",
  run: ({ server, processes }) =>
    given(server, ({ keyPlugins, pid }) => {
      const isStock = keyPlugins.some(({ name, isActive }) => isActive && name === 'hashicorp_key_management')
      if (!isStock) return []
      return given(processes, ({ looked }) => {
        const process = looked.find((one) => one.pid === pid)
        if (process === undefined)
          return [{ notChecked: "the environment of MariaDB's process can not be read" }]
        if (process.wipesFreedMemory) return []
        return [
          {
            code: 'SRD_FREED_MEMORY',
            where: `process ${process.pid} (${process.name})`,
            what: 'runs without MALLOC_PERTURB_: data keys that the hashicorp_key_management plugin got stay in freed memory, and Aria can write that to disk',
            remedy:
              'set Environment=MALLOC_PERTURB_=165 in mariadb.service (strongroom mariadb configure does), and restart it',
          },
        ]
      })
    }),
}
