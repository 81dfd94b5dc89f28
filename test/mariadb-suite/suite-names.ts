import { join } from 'node:path'
import type { ListenerName } from '../support/each-listener.ts'

export const suiteNames = ['vault', 'encryption', 'mariabackup', 'binlog_encryption'] as const
export type SuiteName = (typeof suiteNames)[number]

/** The suite `vault` is about the stock plugin. */
export function listenersOf(suite: SuiteName): readonly ListenerName[] {
  return suite === 'vault' ? ['vault'] : ['vault', 'plugin']
}

/** Where the tests of a suite lie. */
export function suiteFolder(suite: SuiteName, tree: string): string {
  switch (suite) {
    case 'vault':
      return join(tree, 'plugin/hashicorp_key_management/vault/t')
    case 'encryption':
      return join(tree, 'suite/encryption/t')
    default:
      return join(tree, 'suite', suite)
  }
}
