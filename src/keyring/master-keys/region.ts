import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { parse } from 'ini'
import { StrongroomError, systemCode } from '../../errors.ts'

export interface RegionOptions {
  readonly region: string | undefined
  /** Id, ARN, alias or alias ARN. */
  readonly masterKeyId: string | undefined
  /** undefined: the files of AWS's tools. */
  readonly credentialsFile: string | undefined
  readonly profile: string | undefined
}

/**
 * Where the KMS is: as it was said, else by the master key's ARN, else where AWS's tools find it, once it is there (rule K4): the SDK
 * remembers that a file was missing.
 */
export function regionFor({
  region,
  masterKeyId,
  ...places
}: RegionOptions): string | (() => Promise<string>) {
  let found = region ?? regionOf(masterKeyId)
  if (found !== undefined) return found
  return async () => {
    found ??= regionInEnvironment() ?? regionInFiles(places)
    if (found !== undefined) return Promise.resolve(found)
    throw new StrongroomError(
      'SR_KMS_REGION_UNKNOWN',
      `it is not known in which region the KMS is; set region, or name the master key by its ARN`,
    )
  }
}

/** Of `arn:aws:kms:REGION:ACCOUNT:key/ID`; undefined for an id or a bare alias. */
export function regionOf(masterKeyId: string | undefined): string | undefined {
  return /^arn:[^:]+:kms:([^:]+):/.exec(masterKeyId ?? '')?.[1]
}

/** The first is for the SDKs, the second for the CLI and for MariaDB's own plugin. */
function regionInEnvironment(): string | undefined {
  return [process.env['AWS_REGION'], process.env['AWS_DEFAULT_REGION']].find(Boolean)
}

function regionInFiles({
  credentialsFile,
  profile = process.env['AWS_PROFILE'] ?? 'default',
}: Pick<RegionOptions, 'credentialsFile' | 'profile'>): string | undefined {
  const files = credentialsFile === undefined ? sharedFiles() : [credentialsFile]
  return files.map((file) => regionInFile(file, profile)).find((found) => found !== undefined)
}

function sharedFiles(): string[] {
  const folder = join(homedir(), '.aws')
  return [
    process.env['AWS_SHARED_CREDENTIALS_FILE'] ?? join(folder, 'credentials'),
    process.env['AWS_CONFIG_FILE'] ?? join(folder, 'config'),
  ]
}

function regionInFile(file: string, profile: string): string | undefined {
  const sections = parse(textOf(file))
  const section = sectionOf(sections, profile) ?? sectionOf(sections, `profile ${profile}`)
  if (typeof section !== 'object' || section === null || !('region' in section)) return undefined
  return typeof section.region === 'string' && section.region !== '' ? section.region : undefined
}

/** The parser takes a dot in a section's name for a step into the section before it. */
function sectionOf(sections: object, name: string): unknown {
  let found: unknown = sections
  for (const part of name.split('.')) {
    if (typeof found !== 'object' || found === null) return undefined
    found = Reflect.get(found, part)
  }
  return found
}

/** What is wrong with a file is told of where its credentials are wanted. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if (systemCode(error) === undefined) throw error
    return ''
  }
}
