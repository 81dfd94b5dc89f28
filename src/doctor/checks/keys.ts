import type { Examination } from '../../keyring/examination.ts'
import type { Check } from '../check.ts'
import { type Finding, notChecked } from '../finding.ts'
import { given } from '../looked.ts'

type KeyInStore = Examination['keys'][number]

/** Each key file, tried with the KMS: not only the newest is needed, the redo log and old pages ask for old versions. */
export const keyFiles: Check = {
  about: 'the key files',
  run: ({ examination }) =>
    given(examination, ({ problem, keys }) => [
      ...(problem === undefined ? [] : [storeFinding(problem)]),
      ...keys.flatMap(findingOf),
      ...untried(keys)
        .map(({ file }) => notChecked(`${file}: ${reasonOf(keys)}`))
        .slice(0, 1),
    ]),
}

function storeFinding({ message }: NonNullable<Examination['problem']>): Finding {
  return {
    code: 'SRD_STORE',
    where: 'the store of the keyring',
    what: message,
    remedy: 'mend what the message names; docs/errors.md has a section for its code',
  }
}

function findingOf({ file, problem, isStray }: KeyInStore): Finding[] {
  if (problem === undefined || isAboutTheKms(problem)) return []
  const code = isStray
    ? 'SRD_KEY_STRAY'
    : problem.code === 'SR_KEY_FILE_MISSING'
      ? 'SRD_KEY_MISSING'
      : 'SRD_KEY_DAMAGED'
  return [
    {
      code,
      where: file,
      what: isStray
        ? `is not listed in the manifest, and can't be used: ${problem.message}`
        : problem.message,
      remedy: isStray
        ? 'find out where it comes from, then remove it'
        : 'put it back from the last backup of the data directory, before the agent is restarted',
    },
  ]
}

/** One finding of the master key's says it for all of them. */
function isAboutTheKms({ code }: { readonly code: string }): boolean {
  return code.startsWith('SR_KMS_') || code.startsWith('SR_MASTER_KEY_')
}

function untried(keys: readonly KeyInStore[]): KeyInStore[] {
  return keys.filter(({ problem }) => problem !== undefined && isAboutTheKms(problem))
}

function reasonOf(keys: readonly KeyInStore[]): string {
  const [first, ...others] = untried(keys)
  const more = others.length === 0 ? '' : `, and ${others.length} more key files could not be tried either`
  return `${first?.problem?.message ?? ''}${more}`
}
