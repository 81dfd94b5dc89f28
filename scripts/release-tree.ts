import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'

export const root = join(import.meta.dirname, '..')

/** Compiles the product of this checkout into a folder, beside what it is started with; returns its `bin/strongroom`. */
export function compileProduct(directory: string): string {
  mkdirSync(directory, { recursive: true })
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  const options = ['-p', join(root, 'tsconfig.build.json'), '--outDir', join(directory, 'dist')]
  execFileSync(process.execPath, [compiler, ...options], { stdio: ['ignore', 'inherit', 'inherit'] })
  cpSync(join(root, 'bin'), join(directory, 'bin'), { recursive: true })
  cpSync(join(root, 'package.json'), join(directory, 'package.json'))
  return join(directory, 'bin/strongroom')
}

/** Lays out what a release holds, compiled from this checkout, with its node_modules; returns its `bin/strongroom`. */
export function makeReleaseTree(directory: string): string {
  const program = compileProduct(directory)
  symlinkSync(join(root, 'node_modules'), join(directory, 'node_modules'))
  return program
}
