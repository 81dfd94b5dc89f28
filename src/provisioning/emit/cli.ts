import type { Call } from '../calls.ts'
import { changesFor } from '../changes.ts'
import type { Plan } from '../plan.ts'

export interface CliPlace {
  readonly region: string | undefined
  readonly endpointUrl: string | undefined
}

/** The calls that `provision` makes where nothing is there, as a script for AWS's command line. */
export function cliFile(plan: Plan, { region, endpointUrl }: CliPlace): string {
  const { server, identity } = plan
  const isUser = identity.kind === 'user'
  const options = [
    ...(region === undefined ? [] : [` --region ${quote(region)}`]),
    ...(endpointUrl === undefined ? [] : [` --endpoint-url ${quote(endpointUrl)}`]),
  ]
  const calls = changesFor(plan, { identity: undefined, masterKey: undefined })
  const lines = [
    '#!/bin/sh',
    `# Makes the master key and the IAM ${identity.kind} of the MariaDB server ${server}, by strongroom provision.`,
    ...(isUser ? [`# Usage: sh ${server}.sh FILE; FILE gets the access key, and must not be there.`] : []),
    '# It ends at the first call that fails; what is there by then, `strongroom provision` takes as it is, and does the rest.',
    'set -eu',
    ...(isUser
      ? ['file="$1"', '[ ! -e "$file" ] || { echo "$file is there already" >&2; exit 1; }', 'umask 077']
      : []),
    '',
    `call() { aws${options.join('')} "$@"; }`,
    '# For what would be there twice if the answer were lost and it were asked for again.',
    `once() { AWS_MAX_ATTEMPTS=1 aws${options.join('')} "$@"; }`,
    '',
    ...calls.flatMap((call) => [...linesOf(call), '']),
    ...(isUser ? accessKeyLines(identity.name) : []),
    'echo "$key_id"',
  ]
  return `${lines.join('\n')}\n`
}

function linesOf(call: Call): string[] {
  if (call.operation === 'CreateAlias') {
    const { AliasName = '' } = call.input
    return [`call kms create-alias --alias-name ${quote(AliasName)} --target-key-id "$key_id"`]
  }
  const command = `${call.service} ${kebab(call.operation)} --cli-input-json ${quote(JSON.stringify(call.input))}`
  if (call.operation !== 'CreateKey') return [`call ${command} > /dev/null`]
  return [
    '# KMS may learn only after seconds whom IAM has made. After another refusal there may be a key, and it is not tried again.',
    'refusal=$(mktemp)',
    `trap 'rm -f "$refusal"' EXIT`,
    'tries=0',
    `until key_id=$(once ${command} --query KeyMetadata.KeyId --output text 2> "$refusal"); do`,
    '  cat "$refusal" >&2',
    '  tries=$((tries + 1))',
    `  { grep -qi 'invalid principal' "$refusal" && [ "$tries" -lt 10 ]; } || exit 1`,
    '  sleep 3',
    'done',
  ]
}

/** The secret is in a variable of the shell and in the file: in no argument of a process, and not on the terminal. */
function accessKeyLines(userName: string): string[] {
  const command = `once iam create-access-key --user-name ${quote(userName)}`
  return [
    'set -C',
    ': > "$file"',
    `made=$(${command} --query 'AccessKey.[AccessKeyId,SecretAccessKey]' --output text) || { rm "$file"; exit 1; }`,
    "tab=$(printf '\\t')",
    "printf '[default]\\naws_access_key_id = %s\\naws_secret_access_key = %s\\n' \\",
    '  "${made%%"$tab"*}" "${made##*"$tab"}" >> "$file"',
    '',
  ]
}

function kebab(operation: string): string {
  return operation.replace(/(?<!^)[A-Z]/g, '-$&').toLowerCase()
}

function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`
}
