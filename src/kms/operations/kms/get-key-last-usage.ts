import { z } from 'zod'
import { epochSeconds } from '../../protocol/json.ts'
import type { KeyUse } from '../../state/key-usage.ts'
import { operation } from '../operation.ts'
import { findKeyWithoutAlias } from './find-key.ts'
import { keyId } from './members.ts'

/**
 * After a crash up to a minute of uses may be missing; the audit trail has them all.
 * https://docs.aws.amazon.com/kms/latest/APIReference/API_GetKeyLastUsage.html
 */
export const getKeyLastUsage = operation({
  name: 'GetKeyLastUsage',
  readOnly: true,
  input: z.object({ KeyId: keyId }),
  find: (input, { state }) => findKeyWithoutAlias(input.KeyId, state),
  permissions: (_input, key) => [{ action: 'kms:GetKeyLastUsage', key }],
  run(_input, key, { state: { keyUsage } }) {
    const trackedSince = Math.max(keyUsage.since.getTime(), key.createdAt.getTime())
    return {
      KeyId: key.keyId,
      KeyLastUsage: lastUsage(keyUsage.lastOf(key.keyId)),
      TrackingStartDate: epochSeconds(new Date(trackedSince)),
      KeyCreationDate: epochSeconds(key.createdAt),
    }
  },
})

function lastUsage(use: KeyUse | undefined): object {
  if (use === undefined) return {}
  return {
    Operation: use.operation,
    Timestamp: epochSeconds(use.at),
    CloudTrailEventId: use.eventId,
    KmsRequestId: use.requestId,
  }
}
