import { join } from 'node:path'
import { keyFileName } from '../../keyring/wrapped-key.ts'
import type { Check } from '../check.ts'
import type { Examined } from '../examined.ts'
import type { Finding } from '../finding.ts'
import { type KeyDemand, keyDemands } from '../look/data/key-demands.ts'
import { given, isSeen } from '../looked.ts'
import { nameList } from '../name-list.ts'

/** Versions that the data asks for, with the keys in the store. Nothing is unwrapped: another check tries each key that is there. */
export const neededKeys: Check = {
  about: 'the keys that the data asks for',
  run: (examined) =>
    given(examined.data, (data) =>
      given(examined.store, ({ wrappedKeys, unreadable }) => {
        const held = new Set([...wrappedKeys, ...unreadable].map(keyFileName))
        const missing = keyDemands(data).filter((demand) => !held.has(keyFileName(demand)))
        return missing.map((demand) => finding(demand, examined))
      }),
    ),
}

function finding(demand: KeyDemand, { keyring, agent }: Examined): Finding {
  const file = keyFileName(demand)
  const isServed = isSeen(agent)
  return {
    code: 'SRD_NEEDED_KEY_MISSING',
    where: isSeen(keyring) ? join(keyring.seen.storeDirectory, file) : file,
    what: `is missing, and needed for ${nameList(demand.by)}`,
    remedy:
      'put it back from a backup of this data directory (mariadb-backup copies such files); ' +
      (isServed
        ? 'until then restart neither the agent, which may hold the key in memory, nor MariaDB'
        : 'without it MariaDB does not start, or can not read what needs it'),
  }
}
