import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { StrongroomError, systemCode } from '../../errors.ts'
import { systemReason } from '../system-reason.ts'
import { credentialFile } from './passphrase-source.ts'
import { rootKeyLength } from './seal.ts'

/** The credential is what `systemd-creds encrypt` printed; `root-key.credential` holds the same for a unit file. */
export const systemdSealShape = z.strictObject({
  kind: z.literal('systemd'),
  credential: z.string().regex(/^[A-Za-z0-9+/=\n]+$/),
})

export type SystemdSeal = z.infer<typeof systemdSealShape>

const credentialName = 'strongroom-kms-root-key'
const program = 'systemd-creds'

/**
 * The root key encrypted by systemd with a key of this machine: of its TPM2 chip, of `/var/lib/systemd`, or of both, as
 * systemd decides (systemd-creds(1)). In the clear it goes through pipes alone.
 */
export async function wrapBySystemd(rootKey: Buffer): Promise<SystemdSeal> {
  const credential = await run('encrypt', rootKey)
  const opened = await run('decrypt', credential)
  const same = opened.equals(rootKey)
  opened.fill(0)
  if (!same) throw failed('encrypt the root key', 'it decrypts to something else')
  return { kind: 'systemd', credential: credential.toString('latin1') }
}

/**
 * At a start systemd hands the root key over decrypted
 * (`LoadCredentialEncrypted=strongroom-kms-root-key:DIR/root-key.credential`); without that, `systemd-creds decrypt`
 * is run, which takes root.
 */
export async function unwrapBySystemd({ credential }: SystemdSeal): Promise<Buffer> {
  const given = credentialFile(credentialName)
  const rootKey =
    given === undefined ? await run('decrypt', Buffer.from(credential, 'latin1')) : readCredential(given)
  if (rootKey.length === rootKeyLength) return rootKey
  rootKey.fill(0)
  throw new StrongroomError(
    'SR_KMS_ROOT_KEY_WRONG',
    `the credential ${credentialName} is not a root key: it must have ${String(rootKeyLength)} bytes`,
  )
}

function readCredential(file: string): Buffer {
  try {
    return readFileSync(file)
  } catch (error) {
    throw new StrongroomError('SR_KMS_SEAL', `cannot read the credential ${file} (${systemReason(error)})`, {
      cause: error,
    })
  }
}

/** Resolves to what the program writes to its standard output; its parts are zeroed once they are put together. */
async function run(verb: 'encrypt' | 'decrypt', input: Buffer): Promise<Buffer> {
  const child = spawn(program, [verb, `--name=${credentialName}`, '-', '-'], {
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const output: Buffer[] = []
  const complaints: Buffer[] = []
  child.stdout.on('data', (part: Buffer) => output.push(part))
  child.stderr.on('data', (part: Buffer) => complaints.push(part))
  // A program that ends before it has read everything says why on its standard error.
  child.stdin.on('error', () => undefined)
  child.stdin.end(input)
  try {
    const status = await ended(child)
    if (status !== 0)
      throw failed(
        `${verb} the root key`,
        Buffer.concat(complaints).toString('utf8').trim() || `status ${String(status)}`,
      )
    return Buffer.concat(output)
  } finally {
    for (const part of output) part.fill(0)
  }
}

async function ended(child: ReturnType<typeof spawn>): Promise<number | null> {
  return await new Promise((resolve, reject) => {
    child.on('error', (error) => {
      const missing = systemCode(error) === 'ENOENT'
      reject(failed('be run', missing ? 'it is not on this machine' : systemReason(error)))
    })
    child.on('close', resolve)
  })
}

function failed(verb: string, reason: string): StrongroomError {
  return new StrongroomError(
    'SR_KMS_SEAL',
    `${program} cannot ${verb} (${reason}): it takes systemd 250 or later and root; a service that does ` +
      `not run as root gets the key by LoadCredentialEncrypted=${credentialName}:DIR/root-key.credential in its unit`,
  )
}
