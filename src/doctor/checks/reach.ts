import { isLoopback } from '../../loopback.ts'
import type { Check } from '../check.ts'
import type { Examined } from '../examined.ts'
import { type Finding, notChecked, type Outcome } from '../finding.ts'
import { lastOf } from '../look/option-files.ts'
import { given, isSeen } from '../looked.ts'

/** Who can ask the Vault listener. */
export const vaultListener: Check = {
  about: 'who can ask the Vault listener',
  run: ({ config, vaultListener: found }) => {
    const listener = isSeen(config) ? config.seen.vaultListener : undefined
    if (listener === undefined) return []
    const { host } = listener.address
    return [...(isLoopback(host) ? [] : [notLocal(host)]), ...openness(found)]
  },
}

function notLocal(host: string): Finding {
  return {
    code: 'SRD_LISTENER_NOT_LOCAL',
    where: `[vault-listener] listen = ${host}`,
    what: 'is no loopback address: every host that reaches it may try tokens, and data keys travel over the network',
    remedy: 'listen at 127.0.0.1, with an agent on each database host; else keep others away by a firewall',
  }
}

function openness(found: Examined['vaultListener']): Outcome {
  if (found === undefined) return []
  return given(found, ({ url, status }) => {
    // Ours hangs up on who has no token; Vault answers 403.
    if (status === undefined || status === 403) return []
    if (status >= 200 && status < 300)
      return [
        {
          code: 'SRD_LISTENER_OPEN',
          where: url,
          what: 'answers without an access token: every user of this host can read the data keys',
          remedy:
            'find out what listens there (ss -ltnp): it is not an agent as this configuration has it; end it, then rotate the keys',
        },
      ]
    return [notChecked(`${url} answers ${status}, which an agent does not: something else may listen there`)]
  })
}

/** A token that several keyrings accept opens each to the servers of the others. */
export const sharedTokens: Check = {
  about: 'tokens that several keyrings accept',
  run: ({ tokens, keyring }) => {
    if (!isSeen(keyring)) return [notChecked(keyring.unseen)]
    const own = tokens.get(keyring.seen.name)
    if (own === undefined) return []
    return given(own, (mine) => {
      const others = [...tokens].filter(
        ([name, theirs]) =>
          name !== keyring.seen.name && isSeen(theirs) && theirs.seen.some((token) => mine.includes(token)),
      )
      return others.map(([name]) => ({
        code: 'SRD_TOKEN_SHARED',
        where: keyring.seen.tokenFile ?? keyring.seen.name,
        what: `holds a token that keyring ${name} accepts too: each server can read the other's keys`,
        remedy:
          'give each keyring a token file of its own (docs/errors.md, SR_TOKEN_INVALID, says how to change tokens)',
      }))
    })
  },
}

/** The token of the option file must be one that the agent accepts: the server needs it at its next start. */
export const serverToken: Check = {
  about: "the server's access token",
  run: ({ tokens, keyring, options }) => {
    if (!isSeen(keyring)) return [notChecked(keyring.unseen)]
    const accepted = tokens.get(keyring.seen.name)
    if (accepted === undefined) return []
    return given(options, (said) => {
      const token = lastOf(said, 'hashicorp_key_management_token')
      if (token === undefined) return []
      return given(accepted, (known) =>
        known.includes(token)
          ? []
          : [
              {
                code: 'SRD_TOKEN_REFUSED',
                where: keyring.seen.tokenFile ?? keyring.seen.name,
                what: "does not hold the token of MariaDB's option file (hashicorp_key_management_token): the server will not start",
                remedy:
                  'put that token into the token file and send the agent SIGHUP, or put a token of the file into the option file',
              },
            ],
      )
    })
  },
}
