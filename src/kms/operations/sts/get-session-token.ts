import { z } from 'zod'
import { operation } from '../operation.ts'
import { credentialsStructure, recordedCredentials, requireIssued, tokenSize } from './credentials.ts'
import { mfaMembers, minimumSessionTokenSize, userDuration } from './members.ts'
import { provesMfa } from './mfa-proof.ts'

const defaultSeconds = 43_200
const longestOfRoot = 3600

/**
 * Needs no permission, as at Amazon: it is there to tell who is at the keyboard. Those who have a session already are
 * refused before: see `requireUsableFor`. https://docs.aws.amazon.com/STS/latest/APIReference/API_GetSessionToken.html
 */
export const getSessionToken = operation({
  name: 'GetSessionToken',
  readOnly: true,
  input: z.object({
    DurationSeconds: userDuration.default(defaultSeconds),
    MinimumSessionTokenSize: minimumSessionTokenSize,
    ...mfaMembers,
  }),
  find: () => undefined,
  permissions: () => [],
  run(input, _found, call) {
    const { caller, receivedAt: now, state } = call
    const mfa = provesMfa(input, call) ? { mfaAuthenticatedAt: now.getTime() } : {}
    const isRoot = caller.type === 'Root'
    const session = requireIssued(
      state.sessions.issue(
        { kind: 'user', userId: isRoot ? null : caller.principalId, ...mfa },
        {
          now,
          seconds: isRoot ? Math.min(input.DurationSeconds, longestOfRoot) : input.DurationSeconds,
          minimumTokenSize: input.MinimumSessionTokenSize,
        },
      ),
    )
    return { Credentials: credentialsStructure(session), ...tokenSize(session) }
  },
  recordedAnswer: ({ Credentials }) => ({ credentials: recordedCredentials(Credentials) }),
})
