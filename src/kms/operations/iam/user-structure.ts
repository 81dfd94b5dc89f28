import type { XmlStructure } from '../../protocol/query.ts'
import type { User } from '../../state/users.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_User.html */
export function userStructure(user: User): XmlStructure {
  return {
    Path: user.path,
    UserName: user.userName,
    UserId: user.userId,
    Arn: user.arn,
    CreateDate: user.createdAt,
  }
}
