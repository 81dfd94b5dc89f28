/**
 * Every error code of the project with what it means; docs/errors.md says what to do about each.
 * A code is stable: it may be retired, never reused.
 */
export const errorCodes = {
  SR_USAGE: 'the command line is not one that Strongroom knows',
  SR_CONFIG_INVALID: 'a configuration file cannot be read or an option in it is wrong',
  SR_PLAIN_HTTP: 'keys in the clear would come over the network, for the endpoint is an http URL',
  SR_LISTEN_FAILED: 'a listener cannot listen at its address',
  SR_TOKEN_INVALID: 'an access token file cannot be used',
  SR_PLUGIN_OPTIONS: "MariaDB's options contradict the agent's configuration",
  SR_PLUGIN_PROTOCOL: 'a client of the plugin listener does not speak its protocol',
  SR_STORE_UNREADABLE: 'the store of a keyring cannot be read',
  SR_STORE_WRITE_FAILED: 'a wrapped key or the manifest cannot be written to the store',
  SR_STORE_CHANGED: 'another manifest lies in the store than the one that was read',
  SR_STORE_INCOMPLETE: 'the store is not whole, so no key is created in it',
  SR_MANIFEST_INVALID: 'the manifest of a keyring is damaged or of an unknown format',
  SR_MANIFEST_MISSING: 'the manifest of a keyring is gone from its store',
  SR_KEYRING_MISSING: 'the data directory holds data but no keys',
  SR_KEYRING_ID_DIFFERS: 'the manifest in the store is of another keyring than the configured one',
  SR_KEY_FILE_MISSING: 'the file of an issued key version is missing',
  SR_KEY_FILE_INVALID: 'a key file does not hold a wrapped key',
  SR_KEY_FILE_ALTERED: 'the file of an issued key version holds other bytes than were issued',
  SR_KEY_FILE_EXISTS: 'a key file that would be created exists already',
  SR_UNWRAP_REFUSED: 'the KMS refuses to unwrap a key file as what it is named',
  SR_KEY_LENGTH_WRONG: 'an unwrapped key is not 16 or 32 bytes long',
  SR_MASTER_KEY_UNSET: 'no master key is configured to wrap a new data key with',
  SR_MASTER_KEY_DISABLED: 'the master key is disabled',
  SR_MASTER_KEY_UNUSABLE: 'the master key is in a state in which it cannot be used',
  SR_MASTER_KEY_NOT_FOUND: 'the KMS does not know the master key',
  SR_KMS_ACCESS_DENIED: 'the KMS refuses the caller',
  SR_KMS_CREDENTIALS: 'there are no usable credentials for the KMS',
  SR_KMS_CREDENTIALS_AWAITED: 'the agent waits for credentials that with-mfa is to hand over',
  SR_KMS_CREDENTIALS_EXPIRED: 'the credentials that with-mfa handed over have expired',
  SR_KMS_REGION_UNKNOWN: 'it is not known in which region the KMS is',
  SR_KMS_UNREACHABLE: 'the KMS does not answer',
  SR_KMS_FAILED: 'the KMS answers with an error of its own',
  SR_KEYRING_CLOSED: 'the keyring is closed',
  SR_KEY_PRESENT: 'a key that should be created has a version already',
  SR_KEY_ABSENT: 'a key that should be rotated has no version yet',
  SR_ADMIN_FAILED: 'the agent cannot be reached at its admin socket, or did not understand',
  SR_ADMIN_UNTRUSTED: "the admin socket may be another's than the agent's, so no secret is handed over",
  SR_DAEMON_FAILED: 'a daemon that was started for the demo ended before it was ready',
  SR_DEMO_FAILED: 'the demo saw something else than it set out to show',
  SR_KMS_LISTEN: 'the KMS service cannot listen at its address, or other machines could reach it without TLS',
  SR_KMS_TLS: 'the certificate of the KMS service or its private key cannot be used',
  SR_KMS_DIRECTORY: 'the data directory of the KMS service cannot be used',
  SR_KMS_DIRECTORY_FOREIGN: 'the directory holds other things than the data of a KMS service',
  SR_KMS_DIRECTORY_IN_USE: 'another KMS service runs on the data directory',
  SR_KMS_DATABASE_MISSING: 'the database of the KMS service is gone from its data directory',
  SR_KMS_DATABASE_DAMAGED: 'the database of the KMS service is damaged or is no SQLite database',
  SR_KMS_DATABASE_FOREIGN: 'the database in the data directory was not made by a KMS service',
  SR_KMS_DATABASE_NEWER: 'the database was written by a newer release of the KMS service',
  SR_KMS_ROOT_KEY_MISSING: 'the root key of the KMS service is gone from its data directory',
  SR_KMS_ROOT_KEY_WRONG: 'the root key is damaged or belongs to another database',
  SR_KMS_SEAL: 'the seal of the root key cannot be read, made or opened',
  SR_KMS_PASSPHRASE: 'the passphrase of the root key is missing, wrong or too short',
  SR_KMS_BACKUP: 'a backup of the KMS service cannot be made, or is not whole',
  SR_KMS_ADMIN:
    'the admin socket of the KMS service cannot be made or used, or the request is not understood',
  SR_KMS_SETTINGS_DIFFER: 'the account id or region is not the one that the data directory was made with',
  SR_KMS_AUDIT_TRAIL: 'the audit trail of the KMS service cannot be read or written',
  SR_KMS_SIMULATION: 'it cannot be told what somebody may do: the user, role, key or region is not there',
  SR_AWS_CREDENTIALS: "there are no usable credentials for what an administrator's command asks of AWS",
  SR_AWS_REFUSED: "AWS refuses what an administrator's command asks",
  SR_AWS_UNREACHABLE: "a service of AWS does not answer an administrator's command",
  SR_AWS_FAILED: "a service of AWS answers an administrator's command with another error",
  SR_MFA_DEVICE: 'it is not known of which MFA device a code is to be shown',
  SR_MFA_CODE: 'there is no one-time code, or not where nobody else could read or replace it',
  SR_MFA_REFUSED: 'AWS does not take the one-time code',
  SR_WINDOW_REFUSED: 'a window on a master key would not end as it should, so it is not opened',
  SR_WINDOW_DUTY: 'nobody could be charged with closing a window on a master key again',
  SR_WINDOW_LEFT_OPEN: 'a master key that should be disabled again is, or may be, enabled',
  SR_PROVISION_CONFLICT: 'what is there already in AWS is not what provision has made for this server',
  SR_PROVISION_FILE: 'the file for the access key can be neither read nor written, or holds another one',
  SR_DEPLOY_IMPOSSIBLE: 'this machine lacks what the deployment needs',
  SR_DEPLOY_CONTRADICTION: 'what is configured already contradicts what would be written',
  SR_DEPLOY_FAILED: 'a piece of the deployment could not be put right',
  SR_MARIADB_OPTION: 'an option cannot be written to a MariaDB option file',
  SR_MARIADB_PROGRAM_MISSING: 'a program of MariaDB is not on this machine',
  SR_MARIADB_PLACE: 'a private MariaDB server cannot live in the directory that it was given',
  SR_MARIADB_START: 'a private MariaDB server could not be initialised or started',
} as const

export type ErrorCode = keyof typeof errorCodes

/** An error that an operator reads: what happened, where, and what to do. Its text never holds a secret. */
export class StrongroomError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: { cause?: unknown }) {
    super(message, options)
    this.name = 'StrongroomError'
    this.code = code
  }
}

/** The message of anything that was thrown, with the messages of its causes, but for what they quote that may be a secret. */
export function messageOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const words = unquoted(error)
  return error.cause === undefined ? words : `${words}: ${messageOf(error.cause)}`
}

function unquoted(error: Error): string {
  // The parser of JSON quotes what it read.
  if (error instanceof SyntaxError) return 'what was read there is not JSON'
  // Of a program Node.js quotes its arguments and what it wrote to stderr.
  return error.message.startsWith('Command failed: ') ? 'the program failed; run it by hand' : error.message
}

/** The `code` of a Node.js system error (`ENOENT`, `EEXIST` …), or undefined. */
export function systemCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}
