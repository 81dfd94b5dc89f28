import type { Check } from '../check.ts'
import type { FindingCode } from '../codes.ts'
import type { Finding } from '../finding.ts'
import type { FileFacts, FileRole } from '../look/files.ts'
import { given } from '../looked.ts'

interface Rule {
  readonly roles: readonly FileRole[]
  readonly breaks: (file: FileFacts) => boolean
  readonly code: FindingCode
  readonly what: string
  readonly remedy: string
}

const rules: readonly Rule[] = [
  {
    roles: ['token', 'option file', 'TLS key'],
    breaks: ({ anybody }) => anybody.reads,
    code: 'SRD_SECRET_READABLE',
    what: 'holds a secret, and everybody on this host can read it',
    remedy: 'take that right away (chmod o= FILE), then replace the secret: it may have been read',
  },
  {
    // Of credentials that others can read more is said elsewhere.
    roles: ['configuration', 'token', 'option file', 'TLS key'],
    breaks: ({ anybody, server }) => anybody.writes || server?.writes === true,
    code: 'SRD_CONFIGURATION_WRITABLE',
    what: "can be changed by others than its owner, MariaDB's user among them: who does so chooses the KMS, or the server's options",
    remedy:
      'make it root:strongroom (option files root:mysql), mode 0640, and its folder writable by root alone',
  },
  {
    // Everybody may look into Debian's data directory; the folders of databases in it are closed.
    roles: ['key file', 'data directory'],
    breaks: ({ anybody }) => anybody.writes,
    code: 'SRD_DATA_OPEN',
    what: 'can be changed by everybody on this host',
    remedy:
      'take that right away (chmod o-w): the agent notices an altered key file, and then the keys are lost',
  },
  {
    roles: ['admin socket'],
    breaks: ({ anybody, server }) => anybody.writes || server?.writes === true,
    code: 'SRD_SOCKET_OPEN',
    what: "can be connected to by others than the agent's user and root: whoever does may make and rotate keys",
    remedy: 'make it 0600 in a folder that only the agent can change, and restart the agent',
  },
  {
    roles: ['plugin socket'],
    breaks: ({ anybody }) => anybody.writes,
    code: 'SRD_SOCKET_OPEN',
    what: 'can be connected to by everybody on this host: whoever does gets the data keys',
    remedy:
      "restart the agent, which makes its folder 0710 and the socket 0660, for the group of MariaDB's user; then rotate the keys",
  },
]

/** Who may read and change the files that matter. */
export const fileModes: Check = {
  about: 'who may read and change the files that matter',
  run: ({ files }) =>
    given(files, (all) =>
      all.flatMap((file) =>
        rules.filter((rule) => applies(rule, file)).map((rule) => findingFrom(rule, file)),
      ),
    ),
}

function applies({ roles, breaks }: Rule, file: FileFacts): boolean {
  return roles.includes(file.role) && breaks(file)
}

function findingFrom({ code, what, remedy }: Rule, { path, mode }: FileFacts): Finding {
  return { code, where: `${path} (mode ${mode.toString(8).padStart(4, '0')})`, what, remedy }
}
