import { readFileSync } from 'node:fs'
import { z } from 'zod'

const record = z.looseObject({
  eventName: z.string(),
  errorCode: z.string().nullish(),
  userIdentity: z.looseObject({ arn: z.string().nullish() }).nullish(),
  requestParameters: z.record(z.string(), z.unknown()).nullish(),
})

export type AuditRecord = z.infer<typeof record>

/** The records of a KMS service's audit trail. */
export function readAuditTrail(file: string): AuditRecord[] {
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => record.parse(JSON.parse(line)))
}

/** Who did what, how often, and with what result: one line each. */
export function auditLines(file: string): string[] {
  const groups = Map.groupBy(readAuditTrail(file), ({ userIdentity, eventName, errorCode }) => {
    const who = userIdentity?.arn?.split(/[:/]/).at(-1) ?? 'nobody known'
    return `${who.padEnd(12)} ${eventName.padEnd(34)} ${errorCode ?? 'ok'}`
  })
  return [...groups]
    .sort(([a], [b]) => a.localeCompare(b))
    .map(([line, records]) => `${line} × ${records.length}`)
}
