import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { StrongroomError, systemCode } from '../errors.ts'
import type { ServerFacts } from './server-facts.ts'

/** In no other plugin of that name. */
const pluginMark = '/run/strongroom'

/**
 * aws_key_management.so for the server: the named file, else the one that a release has for it. undefined: neither, so what the server
 * has is left as it is. Throws SR_DEPLOY_IMPOSSIBLE.
 */
export function pluginFor({ version }: ServerFacts, named: string | undefined): Buffer | undefined {
  const file = named ?? (version && shipped(version.text))
  if (file === undefined) return undefined
  const content = readPlugin(file)
  if (isOurPlugin(content)) return content
  throw new StrongroomError('SR_DEPLOY_IMPOSSIBLE', `${file} is not Strongroom's aws_key_management.so`)
}

/** MariaDB's own AWS plugin has the same name. */
export function isOurPlugin(content: Buffer): boolean {
  return content.includes(pluginMark)
}

/** A release has folders such as debian12-10.11.19-x86_64, a checkout one for what was built last. */
function shipped(version: string): string | undefined {
  const folder = join(import.meta.dirname, '../../plugin/built')
  return globSync(`*-${version}-*/aws_key_management.so`, { cwd: folder }).map((file) =>
    join(folder, file),
  )[0]
}

function readPlugin(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (cause) {
    throw new StrongroomError(
      'SR_DEPLOY_IMPOSSIBLE',
      `cannot read the plugin ${file} (${systemCode(cause) ?? 'unknown'})`,
      { cause },
    )
  }
}
