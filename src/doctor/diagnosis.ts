import { inOneLine } from '../plain-text.ts'
import { checks } from './checks/index.ts'
import { findingCodes, severities, type Severity } from './codes.ts'
import type { Examined } from './examined.ts'
import { type Finding, isFinding } from './finding.ts'

/** A finding, and how bad it is. */
export interface GradedFinding extends Finding {
  readonly severity: Severity
}

export interface Diagnosis {
  /** The worst first. */
  readonly findings: readonly GradedFinding[]
  readonly notChecked: readonly { readonly about: string; readonly reason: string }[]
}

/** What every check says of a host. */
export function diagnose(examined: Examined): Diagnosis {
  const results = checks.flatMap(({ about, run }) => run(examined).map((result) => ({ about, result })))
  const findings = results.flatMap(({ result }) =>
    isFinding(result) ? [{ ...plain(result), severity: findingCodes[result.code] }] : [],
  )
  return {
    findings: severities.flatMap((severity) => findings.filter((finding) => finding.severity === severity)),
    notChecked: results.flatMap(({ about, result }) =>
      isFinding(result) ? [] : [{ about, reason: inOneLine(result.notChecked) }],
    ),
  }
}

function plain({ code, where, what, remedy }: Finding): Finding {
  return { code, where: inOneLine(where), what: inOneLine(what), remedy: inOneLine(remedy) }
}
