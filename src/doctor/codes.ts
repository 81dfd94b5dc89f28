/** How bad it is, the worst first; docs/doctor.md says what each means. */
export const severities = ['critical', 'warning', 'advice'] as const

export type Severity = (typeof severities)[number]

/**
 * Every code of a finding, and how bad it is. docs/doctor.md has a section for each, in this order. A code is stable: it may be
 * retired, never reused.
 */
export const findingCodes = {
  // The agent
  SRD_CONFIGURATION: 'critical',
  SRD_AGENT_DOWN: 'critical',
  SRD_AGENT_NOT_READY: 'critical',
  SRD_AGENT_KEYS_DIFFER: 'critical',
  SRD_ADMIN_SOCKET: 'advice',
  SRD_RESTART_PENDING: 'advice',
  SRD_LISTENER_OPEN: 'critical',
  SRD_LISTENER_NOT_LOCAL: 'warning',
  SRD_TOKEN_SHARED: 'warning',
  // The KMS
  SRD_KMS_UNREACHABLE: 'critical',
  SRD_KMS_CREDENTIALS: 'critical',
  SRD_CLOCK_SKEW: 'warning',
  SRD_MASTER_KEY_PENDING_DELETION: 'critical',
  SRD_MASTER_KEY_NOT_FOUND: 'critical',
  SRD_MASTER_KEY_UNUSABLE: 'critical',
  SRD_MASTER_KEY_DISABLED: 'warning',
  SRD_MASTER_KEY_EXPIRES: 'warning',
  SRD_MASTER_KEY_REGION: 'critical',
  SRD_ALIAS_MOVED: 'warning',
  SRD_MASTER_KEY_OTHER: 'advice',
  SRD_MASTER_KEY_UNSET: 'advice',
  SRD_RIGHTS_MISSING: 'critical',
  SRD_RIGHTS_NEEDLESS: 'advice',
  // The store
  SRD_STORE: 'critical',
  SRD_KEY_MISSING: 'critical',
  SRD_KEY_DAMAGED: 'critical',
  SRD_KEY_STRAY: 'warning',
  // The server
  SRD_SERVER_WITHOUT_AGENT: 'critical',
  SRD_SERVER_ELSEWHERE: 'critical',
  SRD_TOKEN_REFUSED: 'critical',
  SRD_PLUGIN_UNLOADABLE: 'critical',
  SRD_PLUGIN_NOT_FORCED: 'warning',
  SRD_ENCRYPTION_OFF: 'warning',
  SRD_ENCRYPTION_OPTIONAL: 'advice',
  SRD_ENCRYPTION_THREADS: 'warning',
  SRD_ROTATE_KEY_AGE: 'warning',
  SRD_REPLICA_ONLY: 'warning',
  SRD_SERVER_FAULT: 'warning',
  // The data
  SRD_NEEDED_KEY_MISSING: 'critical',
  SRD_TABLE_PLAINTEXT: 'warning',
  SRD_SYSTEM_TABLESPACE_PLAINTEXT: 'warning',
  SRD_TABLE_PARTLY_PLAINTEXT: 'warning',
  SRD_FREED_PAGES_PLAINTEXT: 'warning',
  SRD_KEY_ID_IGNORED: 'warning',
  SRD_ARIA_PLAINTEXT: 'warning',
  SRD_ARIA_LOG_PLAINTEXT: 'advice',
  SRD_ENGINE_WITHOUT_ENCRYPTION: 'warning',
  SRD_REDO_LOG_PLAINTEXT: 'warning',
  SRD_BINARY_LOG_PLAINTEXT: 'warning',
  SRD_STATEMENT_LOG: 'advice',
  // The host
  SRD_CREDENTIALS_READABLE: 'critical',
  SRD_CREDENTIALS_IN_OPTION_FILE: 'critical',
  SRD_CREDENTIALS_IN_ENVIRONMENT: 'critical',
  SRD_TOKEN_IN_ENVIRONMENT: 'warning',
  SRD_SECURE_FILE_PRIV: 'warning',
  SRD_SECRET_READABLE: 'critical',
  SRD_CONFIGURATION_WRITABLE: 'critical',
  SRD_SOCKET_OPEN: 'critical',
  SRD_DATA_OPEN: 'warning',
  SRD_SWAP: 'warning',
  SRD_CORE_DUMPS: 'warning',
  SRD_MEMLOCK: 'advice',
  SRD_FREED_MEMORY: 'warning',
} as const satisfies Record<string, Severity>

export type FindingCode = keyof typeof findingCodes
