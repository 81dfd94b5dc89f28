import type { Check } from '../check.ts'
import { type Finding, notChecked } from '../finding.ts'
import { given } from '../looked.ts'

/** What each right is needed for. */
const uses: Readonly<Record<string, string>> = {
  'kms:Decrypt': 'the keys can not be unwrapped at the next start',
  'kms:GenerateDataKeyWithoutPlaintext': 'no new key can be made, and none rotated',
  'kms:DescribeKey': 'doctor can not tell the state of the master key',
}

/** What the agent's credentials may do, tried with KMS's DryRun, which makes nothing. */
export const neededRights: Check = {
  about: 'the rights that the agent needs',
  run: ({ examination }) =>
    given(examination, ({ keys, masterKey }) => {
      const { name = 'the master key', needed } = masterKey
      const refusedFiles = keys.filter(({ problem }) => problem?.code === 'SR_KMS_ACCESS_DENIED')
      const found: Finding[] = Object.entries(needed).flatMap(([action, problem]) =>
        problem === null ? [] : [missing(action, name, problem.message)],
      )
      const ofFiles = refusedFiles[0]
      if (ofFiles !== undefined && needed['kms:Decrypt'] !== undefined && needed['kms:Decrypt'] === null)
        found.push(missing('kms:Decrypt', ofFiles.masterKey ?? ofFiles.file, ofFiles.problem?.message ?? ''))
      const untried = Object.keys(uses).filter((action) => needed[action] === undefined)
      return [
        ...found,
        ...(untried.length === 0 ? [] : [notChecked(`${untried.join(', ')} could not be tried`)]),
      ]
    }),
}

function missing(action: string, where: string, message: string): Finding {
  return {
    code: 'SRD_RIGHTS_MISSING',
    where,
    what: `the agent's user lacks ${action}, so ${uses[action] ?? 'it fails'}: ${message}`,
    remedy:
      'allow it in the key policy, for the encryption context of this keyring (`strongroom provision` writes such a policy)',
  }
}

/** What a thief of the credentials could do besides, as far as KMS lets it be tried. */
export const needlessRights: Check = {
  about: 'the rights that the agent does not need',
  run: ({ examination }) =>
    given(examination, ({ masterKey: { name = 'the master key', needless, needed } }) => {
      if (Object.keys(needed).length === 0) return [notChecked('the KMS could not be asked')]
      if (needless.length === 0) return []
      return [
        {
          code: 'SRD_RIGHTS_NEEDLESS',
          where: name,
          what: `the agent's user may also ${needless.join(', ')}, which it never does`,
          remedy: 'take these out of the policies: whoever steals its credentials has them too',
        },
      ]
    }),
}
