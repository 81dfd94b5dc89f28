import { join } from 'node:path'
import type { StoreContents } from '../../keyring/store.ts'
import { keyFileName } from '../../keyring/wrapped-key.ts'
import type { Check } from '../check.ts'
import type { Examined } from '../examined.ts'
import { type Finding, notChecked, type NotChecked } from '../finding.ts'
import { type KeyDemand, keyDemands } from '../look/data/key-demands.ts'
import { given, isSeen } from '../looked.ts'
import { nameList } from '../name-list.ts'

/** Versions that the data asks for, and the keys in the store. Nothing is unwrapped: another check tries each key that is there. */
export const neededKeys: Check = {
  about: 'the keys that the data asks for',
  run: (examined) =>
    given(examined.data, (data) =>
      given(examined.store, (store) => {
        const held = new Set([...store.wrappedKeys, ...store.unreadable].map(keyFileName))
        const missing = keyDemands(data).filter((demand) => !held.has(keyFileName(demand)))
        const isSure = (demand: KeyDemand) => demand.isProven || wasIssued(demand, store)
        return [
          ...findings(missing.filter(isSure), examined),
          ...unproven(missing.filter((demand) => !isSure(demand))),
        ]
      }),
    ),
}

/** Of more than these the others are counted: files that are no server's work may ask for any number. */
const toldAtMost = 100

function findings(missing: readonly KeyDemand[], examined: Examined): Finding[] {
  const told = missing.slice(0, toldAtMost).map((demand) => finding(demand, examined))
  const last = told.at(-1)
  const others = missing.slice(toldAtMost).map(({ keyId, version }) => `${keyId}.${version}`)
  return last === undefined || others.length === 0
    ? told
    : [...told, { ...last, where: nameList(others), what: 'are missing too (key id and version)' }]
}

/** One line for all: a file that is damaged names thousands of versions. */
function unproven(demands: readonly KeyDemand[]): NotChecked[] {
  if (demands.length === 0) return []
  const versions = demands.map(({ keyId, version }) => `${keyId}.${version}`)
  const by = [...new Set(demands.flatMap((demand) => demand.by))]
  return [
    notChecked(
      `versions that were never issued are asked for by what may be damage: ${nameList(versions)} (key id and version), by ${nameList(by)}`,
    ),
  ]
}

/** By the manifest, and by the key files: where there is a version 3, there were 1 and 2. */
function wasIssued(demand: KeyDemand, { manifest, wrappedKeys, unreadable }: StoreContents): boolean {
  const known = [...(manifest?.keys ?? []), ...wrappedKeys, ...unreadable]
  return known.some(({ keyId, version }) => keyId === demand.keyId && version >= demand.version)
}

function finding(demand: KeyDemand, { keyring, agent }: Examined): Finding {
  const file = keyFileName(demand)
  return {
    code: 'SRD_NEEDED_KEY_MISSING',
    where: isSeen(keyring) ? join(keyring.seen.storeDirectory, file) : file,
    what: `is missing, and needed for ${nameList(demand.by)}`,
    remedy:
      'put it back from a backup of this data directory (mariadb-backup copies such files); ' +
      (isSeen(agent)
        ? 'until then restart neither the agent, which may hold the key in memory, nor MariaDB'
        : 'without it MariaDB does not start, or can not read what needs it'),
  }
}
