import { hostname } from 'node:os'
import { regionOf } from '../../keyring/master-keys/region.ts'
import { type CodeSource, codesAskedFor, noCode, onlyCode } from '../../mfa-session/code.ts'
import { readCodeFrom } from '../../mfa-session/code-from.ts'
import { withoutSecrets, withSession } from '../../mfa-session/command-environment.ts'
import { findOwnDevice } from '../../mfa-session/own-device.ts'
import { runCommand } from '../../mfa-session/run-command.ts'
import { openSession, requireLongTermCredentials, type Session } from '../../mfa-session/session.ts'
import { type AgentKeyring, agentKeyringHelp, findAgentKeyring } from '../agent-keyring.ts'
import { awsAccessFrom, awsOptionsHelp } from '../aws-options.ts'
import type { Command } from '../command.ts'
import { hiddenPrompt } from '../hidden-prompt.ts'
import { note } from '../terminal.ts'
import { handOver, requireAgent, requireUse } from './with-mfa/agent.ts'
import { parseOptions, type WithMfaOptions } from './with-mfa/options.ts'
import { report, tellOfHandingOver } from './with-mfa/report.ts'

export const withMfa: Command = {
  help: `
  strongroom with-mfa -- systemctl start mariadb
  strongroom with-mfa --profile payroll --serial arn:aws:iam::111122223333:mfa/alice
  strongroom with-mfa --env --code-from 3 -- aws kms list-keys 3<code

Asks for the code of an MFA device, gets credentials from STS that end after 15 minutes, hands them to the agent
on this host over its admin socket, and runs the command. The agent keeps them in memory alone and uses them at
once; what it has unwrapped it serves beyond their end. Without a command they are handed over, and that is all.

  --serial ARN        of the MFA device (default: your only one)
  --code-from FD      read the code from a file descriptor, such as 3 with 3<FILE: a pipe, or a file of your own
                      that is open to nobody else (default: the terminal is asked)
  --role-arn ARN      take a role with the code (AssumeRole; default: GetSessionToken, with your own rights)
  --duration SECONDS  from 900, the default, to 129600; with a role to 43200
  --env               give the credentials to the command's environment, not to the agent
  --json              end with a line for programs on stdout
${agentKeyringHelp}
${awsOptionsHelp}
                      (in both cases what agent.conf says of the keyring's KMS comes before the last)

But for --env, the command has no AWS credentials in its environment. Ends with the command's exit code, or 128
and the number of the signal that ended it; 1 where nothing was started, 2 for a wrong command line.
`,
  async run(args) {
    const options = parseOptions(args)
    const keyring = options.inEnvironment ? undefined : findAgentKeyring(options.agent)
    if (keyring !== undefined) await requireAgent(keyring)
    const { serialNumber, session } = await shownCode(options, keyring)
    const { command, json } = options
    if (keyring === undefined) {
      const result = await runCommand(command, withSession(process.env, session))
      return report({ keyring: undefined, serialNumber, session, command, result }, json)
    }
    const { name } = keyring.config
    const state = await handOver(keyring, session)
    tellOfHandingOver(name, session, state)
    requireUse(state, name)
    const result = command.length > 0 ? await runCommand(command, withoutSecrets(process.env)) : undefined
    return report({ keyring: { name, ...state }, serialNumber, session, command, result }, json)
  },
}

async function shownCode(
  options: WithMfaOptions,
  keyring: AgentKeyring | undefined,
): Promise<{ serialNumber: string; session: Session }> {
  const { roleArn, durationSeconds } = options
  const codesOf = await codeSource(options.codeFrom)
  // A code that was sent is used up, whether or not the answer came.
  const aws = awsAccessFrom({ ...options.aws, ...defaultsOf(options.aws, keyring) }, 1)
  try {
    if (roleArn === undefined) await requireLongTermCredentials(aws)
    const serialNumber = options.serialNumber ?? (await findOwnDevice(aws))
    const role = roleArn === undefined ? undefined : { arn: roleArn, sessionName: sessionName() }
    const session = await openSession(aws, { serialNumber, durationSeconds, role }, codesOf(serialNumber))
    return { serialNumber, session }
  } finally {
    aws.close()
  }
}

async function codeSource(descriptor: number | undefined): Promise<(serialNumber: string) => CodeSource> {
  if (descriptor !== undefined) {
    const source = onlyCode(await readCodeFrom(descriptor))
    return () => source
  }
  const prompt = hiddenPrompt()
  if (prompt === undefined) throw noCode('there is no terminal to ask for a code at; see --code-from')
  return (serialNumber) =>
    codesAskedFor((fault) => {
      if (fault !== undefined) note(fault)
      return prompt(`MFA code of ${serialNumber}: `, noCode('no code was given'))
    })
}

/**
 * Where the keyring's KMS is, there is STS too: the same region, and the same URL, unless that is one of Amazon's, which are of one service
 * each. What was said otherwise stays.
 */
function defaultsOf(
  said: WithMfaOptions['aws'],
  keyring: AgentKeyring | undefined,
): { region?: string; 'endpoint-url'?: string } {
  const { masterKeyId, region = regionOf(masterKeyId), endpointUrl } = keyring?.config.masterKey ?? {}
  const { env } = process
  const knowsRegion = (said.region ?? env['AWS_REGION'] ?? env['AWS_DEFAULT_REGION']) !== undefined
  const knowsEndpoint =
    (said['endpoint-url'] ?? env['AWS_ENDPOINT_URL_STS'] ?? env['AWS_ENDPOINT_URL']) !== undefined
  const isAmazons =
    endpointUrl === undefined || /\.(amazonaws\.com(\.cn)?|api\.aws)$/.test(new URL(endpointUrl).hostname)
  return {
    ...(!knowsRegion && region !== undefined && { region }),
    ...(!knowsEndpoint && !isAmazons && { 'endpoint-url': endpointUrl }),
  }
}

/** In the trail of who used the role. */
function sessionName(): string {
  return `strongroom-${hostname()}`.replace(/[^\w+=,.@-]/g, '-').slice(0, 64)
}
