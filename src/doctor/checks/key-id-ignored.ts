import type { Check } from '../check.ts'
import { given } from '../looked.ts'

/** A table made with ENCRYPTION_KEY_ID while encryption was off is later encrypted with key 1, without a word (MDEV-17230). */
export const keyIdIgnored: Check = {
  about: 'the key ids of tables',
  run: ({ data }) =>
    given(data, ({ tablespaces }) =>
      tablespaces.flatMap(({ path, cryptData, keyIdWished, encrypted }) => {
        if (cryptData === undefined || keyIdWished === undefined || encrypted.size === 0) return []
        if (cryptData.keyId === keyIdWished) return []
        return [
          {
            code: 'SRD_KEY_ID_IGNORED',
            where: path,
            what: `is encrypted with key ${cryptData.keyId}, though its table was made with ENCRYPTION_KEY_ID=${keyIdWished}: encryption was off then`,
            remedy: `ALTER TABLE … FORCE, ALGORITHM=COPY writes it anew with key ${keyIdWished}, which must exist (strongroom keys list); FORCE alone keeps key ${cryptData.keyId}`,
          },
        ]
      }),
    ),
}
