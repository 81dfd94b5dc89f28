import { lstatSync, unlinkSync } from 'node:fs'
import { connect, type Server } from 'node:net'

/** Says why a socket can't be made; what it returns is thrown. */
export type CannotListen = (reason: string, cause?: unknown) => Error

/** Makes way for a new socket: only a socket is ever removed, and only one at which nobody answers. */
export async function removeStaleSocket(socket: string, cannotListen: CannotListen): Promise<void> {
  const found = lstatSync(socket, { throwIfNoEntry: false })
  if (found === undefined) return
  if (!found.isSocket()) throw cannotListen('something that is no socket is there')
  const isAnswered = await new Promise<boolean>((resolve) => {
    const probe = connect(socket)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => {
      resolve(false)
    })
  })
  if (isAnswered) throw cannotListen('another agent answers there')
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
