import type { Options } from './option-file.ts'

/** Everything that MariaDB can encrypt is encrypted, wherever the keys come from. */
export const encryptEverything: Options = {
  'innodb-encrypt-tables': 'FORCE',
  'innodb-encrypt-log': 'ON',
  'innodb-encrypt-temporary-tables': 'ON',
  'encrypt-tmp-files': 'ON',
  'encrypt-tmp-disk-tables': 'ON',
  'encrypt-binlog': 'ON',
  'aria-encrypt-tables': 'ON',
  // With 0, tables that exist stay in the clear, and no rotation reaches them.
  'innodb-encryption-threads': '4',
  'innodb-encryption-rotate-key-age': '1',
}
