import { globSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { exampleRegion } from '../../../src/cli/demo/kms-setup.ts'
import type { ListenerName } from '../each-listener.ts'
import type { DatabaseHost } from './database-host.ts'

export interface SetUp {
  readonly listener: ListenerName
  readonly credentials: 'file' | 'encrypted' | 'environment-file'
}

export const program = '/opt/strongroom/bin/strongroom'

/** Has `strongroom mariadb configure` set up MariaDB and the agent; neither is started again. */
export async function setUp(host: DatabaseHost, { listener, credentials }: SetUp): Promise<void> {
  const { machine, kms, vaultPort } = host
  // A name, not an address: the agent has to look it up.
  const endpoint = kms.kms.url.replace('127.0.0.1', 'localhost')
  const plugin = globSync('opt/strongroom/plugin/built/*/*.so', { cwd: machine.tree })[0] ?? ''
  const options = [
    ...['--listener', listener, '--credentials', credentials, '--master-key-id', kms.masterKeyArn],
    ...['--region', exampleRegion, '--endpoint-url', endpoint],
    ...(listener === 'vault' ? ['--listen', `127.0.0.1:${vaultPort}`] : ['--plugin-file', `/${plugin}`]),
  ]
  await machine.run(`${program} mariadb configure --yes ${options.join(' ')}`)
  await putCredentials(host, credentials)
}

async function putCredentials({ machine, kms }: DatabaseHost, way: SetUp['credentials']): Promise<void> {
  const folder = '/etc/strongroom'
  const text = readFileSync(kms.user.credentialsFile, 'utf8')
  const put = (name: string, content: string) => {
    writeFileSync(join(machine.tree, folder, name), content, { mode: 0o600 })
  }
  await machine.run(`rm -f ${folder}/aws-credentials*`)
  if (way === 'environment-file') {
    put('aws-credentials.env', asVariables(text))
    return
  }
  put('aws-credentials', text)
  if (way === 'file') return
  const encrypt = 'systemd-creds encrypt --name=aws-credentials'
  await machine.run(`${encrypt} ${folder}/aws-credentials ${folder}/aws-credentials.encrypted`)
  await machine.run(`rm ${folder}/aws-credentials`)
}

/** AWS's shared file as an environment file. */
function asVariables(credentials: string): string {
  return [...credentials.matchAll(/^(aws_\w+) = (.+)$/gm)]
    .map(([, name = '', value = '']) => `${name.toUpperCase()}=${value}\n`)
    .join('')
}
