import { lstatSync, unlinkSync } from 'node:fs'
import { connect, type Server } from 'node:net'
import { messageOf, systemCode } from '../../errors.ts'

/** Says why a socket can't be made; what it returns is thrown. */
export type CannotListen = (reason: string, cause?: unknown) => Error

/** Makes way for a new socket: only a socket is ever removed, and only one at which nobody answers. */
export async function removeStaleSocket(socket: string, cannotListen: CannotListen): Promise<void> {
  const found = lstatSync(socket, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw cannotListen('something that is no socket is there')
  const fault = await new Promise<string | undefined>((resolve) => {
    const probe = connect(socket)
    probe.once('connect', () => {
      probe.destroy()
      resolve(undefined)
    })
    probe.once('error', (error) => {
      resolve(systemCode(error) ?? messageOf(error))
    })
  })
  if (fault === undefined) throw cannotListen('another agent answers there')
  // No other says that nobody listens: where the queue of a busy listener is full it is EAGAIN (connect(2)).
  if (fault !== 'ECONNREFUSED') throw cannotListen(`another agent may listen there (${fault})`)
  unlinkSync(socket)
}

/** The socket has its final mode from the first moment on: bind(2) takes the umask into account. */
export async function listenWithUmask(server: Server, socket: string, umask: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    const former = process.umask(umask)
    try {
      server.listen(socket, () => {
        server.off('error', reject)
        resolve()
      })
    } finally {
      process.umask(former)
    }
  })
}
