import { z } from 'zod'
import { rootUserArn } from '../../arn.ts'
import { operation } from '../operation.ts'
import { ownerUser } from './find-owner.ts'
import { pageMembers } from './members.ts'
import { mfaUserName } from './mfa-members.ts'
import { findMfaOwner, mfaOwnerId } from './mfa-owner.ts'
import { ownerPermission } from './owner-permission.ts'
import { page } from './pages.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListMFADevices.html */
export const listMfaDevices = operation({
  name: 'ListMFADevices',
  readOnly: true,
  input: z.object({ ...pageMembers, UserName: mfaUserName.optional() }),
  find: (input, call) => findMfaOwner(input.UserName, call),
  permissions: (_input, owner, call) => [ownerPermission('iam:ListMFADevices', owner, call)],
  run(input, owner, { state }) {
    const all = state.mfaDevices.ofOwner(mfaOwnerId(owner))
    const { items, more } = page(all, input, ({ serialNumber }) => serialNumber)
    return {
      MFADevices: items.map(({ serialNumber, enabledAt }) => ({
        UserName: ownerUser(owner)?.userName ?? rootUserArn(state.account.accountId),
        SerialNumber: serialNumber,
        EnableDate: enabledAt,
      })),
      ...more,
    }
  },
})
