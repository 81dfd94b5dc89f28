import { existsSync } from 'node:fs'
import type { Piece } from './piece.ts'
import { systemFolder } from './places.ts'
import { runSystemProgram } from './system-programs.ts'

/** Where systemd runs, it reads units that were changed. */
export function reloadSystemd(changed: readonly Piece[]): void {
  const units = changed.some((piece) => 'path' in piece && piece.path.startsWith(`${systemFolder}/`))
  // sd_booted(3)
  if (units && existsSync('/run/systemd/system')) runSystemProgram('systemctl', ['daemon-reload'])
}
