import type { Deployment } from '../../../deployment/deployment.ts'
import { isDifference } from '../../../deployment/difference.ts'
import { nameOf } from '../../../deployment/piece.ts'

/** What differs, for people: `check` without the texts. */
export function linesFor({ comparisons }: Deployment, check: boolean): string[] {
  if (comparisons.length === 0) return ['everything is as it must be']
  return comparisons.flatMap((comparison) => {
    const name = nameOf(comparison.piece)
    if (!isDifference(comparison)) return [`${name}: not checked: ${comparison.unseen}`]
    const { what, diff, remedy } = comparison
    return [`${name} ${what}`, ...(remedy === undefined ? [] : [`  ${remedy}`]), ...(check ? [] : diff)]
  })
}

export function asJson({ comparisons, remarks, settings }: Deployment): unknown {
  const { listener, keyring, dataDirectory } = settings
  return {
    listener,
    keyring,
    dataDirectory,
    differences: comparisons.filter(isDifference).map(({ piece, what, diff, remedy }) => ({
      piece: nameOf(piece),
      kind: piece.kind,
      what,
      diff,
      remedy,
    })),
    notChecked: comparisons.flatMap((comparison) =>
      isDifference(comparison) ? [] : [{ piece: nameOf(comparison.piece), why: comparison.unseen }],
    ),
    remarks,
  }
}

/** What is good to know before the question is answered. */
export function remarksOn({ comparisons, remarks, settings }: Deployment): string[] {
  const { optionFile, secureFilePriv } = settings
  const changesServer = comparisons.some(({ piece }) => nameOf(piece) === optionFile)
  if (!changesServer || secureFilePriv === undefined) return [...remarks]
  return [
    ...remarks,
    `LOAD DATA INFILE, SELECT INTO OUTFILE and LOAD_FILE() will work in ${secureFilePriv} alone; --secure-file-priv names another folder`,
  ]
}

/** What is left to do by hand, in its order. */
export function nextSteps({ comparisons, data, settings }: Deployment): string[] {
  const byHand = comparisons
    .filter(isDifference)
    .flatMap(({ piece, what, remedy }) =>
      remedy === undefined ? [] : [`still to do: ${nameOf(piece)} ${what}: ${remedy}`],
    )
  const changed = new Set(comparisons.map(({ piece }) => nameOf(piece)))
  const { config, tokenFile, optionFile } = settings
  const starts =
    changed.has(config) || [...changed].some((name) => name.includes('/strongroom-agent.service'))
  const isFirst = data.holdsDatabase && !data.holdsKeys
  return [
    ...byHand,
    // A start ends when the agent is ready, for which it may want the key.
    ...(starts ? [`then: systemctl restart ${isFirst ? '--no-block ' : ''}strongroom-agent`] : []),
    ...(!starts && changed.has(tokenFile) ? ['then: systemctl reload strongroom-agent'] : []),
    ...(isFirst ? ['then, for the database was never encrypted: strongroom keys create 1'] : []),
    ...(changed.has(optionFile) ? ['then: systemctl restart mariadb'] : []),
  ]
}
