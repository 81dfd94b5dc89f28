import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { StrongroomError } from '../../../errors.ts'
import { askRunningService } from '../../../kms/admin/client.ts'
import { systemReason } from '../../../kms/system-reason.ts'
import { parseArguments } from '../../arguments.ts'
import type { Command } from '../../command.ts'
import { print } from '../../terminal.ts'

const help = `  strongroom kms simulate --data DIR --key alias/payroll --action kms:Decrypt \\
    --principal arn:aws:iam::111122223333:user/alice --context app=payroll
  strongroom kms simulate --data DIR --key alias/payroll --action kms:Decrypt

Usage: strongroom kms simulate --data DIR [options]

Asks the running service who may do what, and why: the answer names the statement or grant that decides. Nothing is
done, and nothing is recorded. Without a principal, it is asked for everybody; without an action, for all that can be
done with the key. A role is asked about as a session of it, named "simulation".

  --data DIR              the data directory of the service
  --principal ARN         the root user, a user, a role, a session of a role, or an OpenID Connect provider
  --action NAME           kms:Decrypt, sts:AssumeRole …; may be given several times
  --key KEY               id, ARN, alias or alias ARN
  --resource ARN          what it is about, unless that is a key: a role to assume, a user
  --region REGION         (default: the home region)
  --context NAME=VALUE    a pair of the encryption context; several times
  --temporary             a user has temporary credentials, without MFA
  --mfa-age SECONDS       a user has temporary credentials, for which an MFA code was shown so long ago
  --session-tag KEY=VALUE, --session-policy FILE, --source-identity NAME   of a role's session
  --source-ip ADDRESS     (default 127.0.0.1)
  --plain-http            the request comes without TLS
  --user-agent TEXT
  --at TIME               2030-01-01T00:00:00Z (default: now)
  --condition KEY=VALUE   what the request says to another condition key, such as kms:GranteePrincipal, or what a
                          token claims, such as issuer.example:sub; several times
  --json                  for programs

Exits 0 when it is allowed, 1 when it is not. For everybody it exits 0.
`

const ground = z.looseObject({ type: z.string() })
const simulation = z.looseObject({
  principal: z.string(),
  action: z.string(),
  resource: z.string(),
  decision: z.looseObject({ allowed: z.boolean(), grounds: z.array(ground).optional() }),
  why: z.string(),
  policies: z.array(z.object({ type: z.string(), policy: z.string() })),
  grants: z.array(z.string()),
  keyState: z.string().optional(),
})
type Simulation = z.infer<typeof simulation>

export const simulate: Command = {
  help,
  async run(args) {
    const { data, json, question } = readQuestion(args)
    const answered = await askRunningService(data, '/simulate', question)
    if (answered === undefined) {
      throw new StrongroomError(
        'SR_KMS_SIMULATION',
        `cannot tell what is allowed: no KMS service runs on ${data}`,
      )
    }
    const simulations = z.array(simulation).parse(answered.body)
    if (json) print(JSON.stringify(simulations, undefined, 2))
    else if (question.principal === undefined) overview(simulations).forEach(print)
    else simulations.flatMap(report).forEach(print)
    const refused = simulations.some(({ decision }) => !decision.allowed)
    return question.principal !== undefined && refused ? 1 : 0
  },
}

function readQuestion(args: readonly string[]) {
  const { values } = parseArguments({
    args: [...args],
    options: {
      data: { type: 'string' },
      principal: { type: 'string' },
      action: { type: 'string', multiple: true },
      key: { type: 'string' },
      resource: { type: 'string' },
      region: { type: 'string' },
      context: { type: 'string', multiple: true, default: [] },
      temporary: { type: 'boolean', default: false },
      'mfa-age': { type: 'string' },
      'session-tag': { type: 'string', multiple: true, default: [] },
      'session-policy': { type: 'string' },
      'source-identity': { type: 'string' },
      'source-ip': { type: 'string' },
      'plain-http': { type: 'boolean', default: false },
      'user-agent': { type: 'string' },
      at: { type: 'string' },
      condition: { type: 'string', multiple: true, default: [] },
      json: { type: 'boolean', default: false },
    },
  })
  const { data, json, principal, key, resource, region, at } = values
  if (data === undefined || data === '') throw new StrongroomError('SR_USAGE', '--data DIR is missing')
  if (values.action === undefined && key === undefined) {
    throw new StrongroomError('SR_USAGE', '--action or --key is missing')
  }
  return {
    data,
    json,
    question: {
      ...{ principal, key, resource, region, at },
      actions: values.action,
      encryptionContext: values.context.map((text) => pair(text, '--context')),
      temporaryCredentials: values.temporary,
      mfaAge: values['mfa-age'] === undefined ? undefined : seconds(values['mfa-age']),
      sessionTags: values['session-tag'].map((text) => pair(text, '--session-tag')),
      sessionPolicy: values['session-policy'] === undefined ? undefined : readText(values['session-policy']),
      sourceIdentity: values['source-identity'],
      sourceIp: values['source-ip'],
      secureTransport: !values['plain-http'],
      userAgent: values['user-agent'],
      conditionKeys: values.condition.map((text) => pair(text, '--condition')),
    },
  }
}

function pair(text: string, option: string): [name: string, value: string] {
  const at = text.indexOf('=')
  if (at < 1) throw new StrongroomError('SR_USAGE', `${option} takes NAME=VALUE`)
  return [text.slice(0, at), text.slice(at + 1)]
}

function seconds(text: string): number {
  if (/^\d+$/.test(text)) return Number(text)
  throw new StrongroomError('SR_USAGE', '--mfa-age takes a number of seconds')
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new StrongroomError('SR_USAGE', `cannot read ${file} (${systemReason(error)})`, { cause: error })
  }
}

function report({
  principal,
  action,
  resource,
  decision,
  why,
  policies,
  grants,
  keyState,
}: Simulation): string[] {
  const policyLines = policies.map(({ type, policy }) => `  looked at: ${policy} (${type})`)
  return [
    `${principal} ${decision.allowed ? 'may' : 'may not'} ${action} on ${resource}`,
    `  ${why}`,
    ...policyLines,
    ...grants.map((grantId) => `  looked at: grant ${grantId}`),
    ...(keyState === undefined || keyState === 'Enabled' ? [] : [`  the key is ${keyState}`]),
  ]
}

/** Everybody who may do any of it, and why. */
function overview(simulations: readonly Simulation[]): string[] {
  const byPrincipal = [...Map.groupBy(simulations, ({ principal }) => principal)]
  return byPrincipal.flatMap(([principal, ofPrincipal]) => {
    const allowed = ofPrincipal.filter(({ decision }) => decision.allowed)
    if (allowed.length === 0) return [`${principal}: nothing`]
    return [`${principal}:`, ...allowed.map(({ action, why }) => `  ${action}: ${why}`)]
  })
}
