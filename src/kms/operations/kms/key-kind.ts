import { AwsException } from '../../protocol/exceptions.ts'
import type { Key } from '../../state/keys.ts'

/** Automatic rotation makes key material, so it is none of a key whose material is imported. */
export function requireOwnMaterial(key: Key): void {
  requireOrigin('AWS_KMS', key)
}

export function requireImportedMaterial(key: Key): void {
  requireOrigin('EXTERNAL', key)
}

/** Replicas follow the primary key: its rotation is theirs. */
export function requireNoReplica(key: Key): void {
  if (key.multiRegion?.type !== 'REPLICA') return
  throw new AwsException(
    'UnsupportedOperationException',
    `${key.arn} is a multi-Region replica key: this operation is for its primary key, in ${key.multiRegion.primaryRegion}.`,
  )
}

export function requirePrimary({ arn, multiRegion }: Key): void {
  if (multiRegion?.type === 'PRIMARY') return
  throw new AwsException('UnsupportedOperationException', `${arn} is not a multi-Region primary key.`)
}

function requireOrigin(wanted: Key['origin'], { arn, origin }: Key): void {
  if (origin === wanted) return
  throw new AwsException(
    'UnsupportedOperationException',
    `${arn} origin is ${origin} which is not valid for this operation.`,
  )
}
