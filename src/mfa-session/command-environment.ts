import type { Session } from './session.ts'

type Environment = Readonly<Record<string, string | undefined>>

/** What AWS's tools take credentials from, or the way to them. https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html */
const secrets = [
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
  'AWS_SESSION_TOKEN',
  // Of older tools, for the same.
  'AWS_ACCESS_KEY',
  'AWS_SECRET_KEY',
  'AWS_SECURITY_TOKEN',
  'AWS_CREDENTIAL_EXPIRATION',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN',
]

/** Some tools take what these lead to before the credentials in the environment. */
const otherWays = [
  'AWS_PROFILE',
  'AWS_DEFAULT_PROFILE',
  'AWS_ROLE_ARN',
  'AWS_ROLE_SESSION_NAME',
  'AWS_WEB_IDENTITY_TOKEN_FILE',
  'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE',
  'AWS_CONTAINER_CREDENTIALS_FULL_URI',
  'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
]

/** Ours without the credentials of AWS: the command has no use for the operator's. */
export function withoutSecrets(environment: Environment): Environment {
  return without(environment, secrets)
}

/** Ours with the session's three values in the place of all other credentials, and of the ways to them. */
export function withSession(environment: Environment, session: Session): Environment {
  return {
    ...without(environment, [...secrets, ...otherWays]),
    AWS_ACCESS_KEY_ID: session.accessKeyId,
    AWS_SECRET_ACCESS_KEY: session.secretAccessKey,
    AWS_SESSION_TOKEN: session.sessionToken,
    AWS_CREDENTIAL_EXPIRATION: session.expiration.toISOString(),
  }
}

function without(environment: Environment, names: readonly string[]): Environment {
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !names.includes(name)))
}
