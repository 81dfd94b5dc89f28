import type { XmlStructure } from '../../protocol/query.ts'
import type { Operation } from '../operation.ts'
import { createAccessKey } from './create-access-key.ts'
import { createUser } from './create-user.ts'
import { deleteAccessKey } from './delete-access-key.ts'
import { getUser } from './get-user.ts'
import { listAccessKeys } from './list-access-keys.ts'
import { updateAccessKey } from './update-access-key.ts'

/** The operations of IAM that this service answers: enough to make a user. */
export const iamOperations: readonly Operation<XmlStructure | undefined>[] = [
  createAccessKey,
  createUser,
  deleteAccessKey,
  getUser,
  listAccessKeys,
  updateAccessKey,
]
