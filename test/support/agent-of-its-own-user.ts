import { execFileSync, spawnSync } from 'node:child_process'
import { chownSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Stack } from '../../src/cli/demo/stack.ts'
import { serverAccount } from '../../src/mariadb/account.ts'
import { emptyStack, finished, type TestStackOptions } from './running-stack.ts'
import { program } from './strongroom.ts'

/** A number that is nobody's: no user is made for a test. */
export const agentUser = 65533

/** Why an agent can't run as another user here; false: it can. */
export function noOtherUser(): false | string {
  if (process.getuid?.() !== 0) return 'only root can start processes of two users'
  const [file = '', ...args] = asUser({ uid: agentUser, gid: agentUser }, ['test', '-r', program])
  if (spawnSync(file, args).status !== 0) return `another user can't read ${program}`
  return spawnSync('setfacl', ['--version']).status === 0 ? false : 'setfacl is not installed (acl)'
}

export interface Account {
  readonly uid: number
  readonly gid: number
  readonly groups?: readonly number[]
}

/** A command that runs another one as a user without any rights beside its own. */
export function asUser({ uid, gid, groups = [] }: Account, command: readonly string[]): string[] {
  const list = groups.length === 0 ? '--clear-groups' : `--groups=${groups.join(',')}`
  const account = [`--reuid=${uid}`, `--regid=${gid}`, list]
  return ['setpriv', ...account, '--inh-caps=-all', '--bounding-set=-all', '--no-new-privs', ...command]
}

export function mysqlUser(): Account {
  const { other } = serverAccount()
  if (other === undefined) throw new Error('only root can start processes of two users')
  return other
}

/**
 * KMS service, agent and server as `strongroom mariadb configure` leaves them: the server runs as user mysql; the agent as a user of its own,
 * in the group mysql, with an access list on the data directory; its configuration, token and credentials are its own.
 */
export async function separatedStack(options: TestStackOptions): Promise<Stack> {
  const mysql = mysqlUser()
  const agentWrapper = asUser({ uid: agentUser, gid: agentUser, groups: [mysql.gid] }, [])
  const stack = await emptyStack({ ...options, agentWrapper })
  return await finished(stack, async () => {
    await stack.startKms()
    await stack.makeMasterKey()
    await stack.prepare()
    giveTo(agentUser, stack.agentDirectory)
    if (stack.listener.name === 'plugin') chownSync(join(stack.directory, 'run'), agentUser, agentUser)
    execFileSync('setfacl', ['--modify', `user:${agentUser}:rwx`, stack.dataDirectory])
    // Of a user without an entry in /etc/passwd Node.js can't tell the home; systemd sets this for a user that has one.
    await stack.startAgent({ environment: { HOME: '/' } })
    await stack.initialise()
    await stack.startServer()
  })
}

function giveTo(user: number, folder: string): void {
  chownSync(folder, user, user)
  for (const name of readdirSync(folder)) chownSync(join(folder, name), user, user)
}
