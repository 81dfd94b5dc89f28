import type { Log } from '../../src/keyring/log.ts'

/** Keeps what was logged. */
export class RecordingLog implements Log {
  readonly lines: { level: 'info' | 'warn' | 'error'; fields: object; message: string }[] = []

  info(fields: object, message: string): void {
    this.lines.push({ level: 'info', fields, message })
  }

  warn(fields: object, message: string): void {
    this.lines.push({ level: 'warn', fields, message })
  }

  error(fields: object, message: string): void {
    this.lines.push({ level: 'error', fields, message })
  }

  messages(level?: 'info' | 'warn' | 'error'): string[] {
    return this.lines
      .filter((line) => level === undefined || line.level === level)
      .map(({ message }) => message)
  }
}
