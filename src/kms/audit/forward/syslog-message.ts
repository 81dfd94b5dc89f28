import { hostname } from 'node:os'
import { z } from 'zod'

/** Facility 13 (log audit), severity 6 (informational). */
const priority = 13 * 8 + 6
const record = z.looseObject({ eventTime: z.iso.datetime(), eventName: z.string() })
const nothing = { eventTime: '-', eventName: '-' }

/** A record as syslog sends it, the record itself unchanged at its end. https://www.rfc-editor.org/rfc/rfc5424#section-6 */
export function syslogMessage(line: Buffer): Buffer {
  const { eventTime, eventName } = record.safeParse(parsedJson(line)).data ?? nothing
  const header = `<${priority}>1 ${eventTime} ${hostname().slice(0, 255)} strongroom-kms ${process.pid} ${eventName.slice(0, 32)} - `
  return Buffer.concat([Buffer.from(header, 'latin1'), line])
}

/** A line that somebody damaged is sent as it is, too. */
function parsedJson(line: Buffer): unknown {
  try {
    return JSON.parse(line.toString())
  } catch {
    return undefined
  }
}
