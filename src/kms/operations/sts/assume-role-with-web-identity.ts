import { z } from 'zod'
import { decide } from '../../authorization/decide.ts'
import type { Permission } from '../../authorization/permission.ts'
import { assumedRoleArn } from '../../arn.ts'
import { verifyWebIdentity } from '../../federation/verify-web-identity.ts'
import { claimKeys, type WebIdentity } from '../../federation/web-identity.ts'
import type { TokenClaims } from '../../federation/web-identity-token.ts'
import { type WebIdentityUser, webIdentityUser } from '../../principal.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import { shortened } from '../../shortened.ts'
import type { Role } from '../../state/roles.ts'
import { requestTags, resourceTags } from '../iam/condition-keys.ts'
import { notOffered, tags } from '../iam/members.ts'
import { unsignedOperation } from '../unsigned-operation.ts'
import { credentialsStructure, recordedCredentials, requireIssued, tokenSize } from './credentials.ts'
import {
  minimumSessionTokenSize,
  roleArn,
  roleDuration,
  roleSessionName,
  sessionPolicy,
  sessionPolicyArns,
  sourceIdentity,
  webIdentityToken,
} from './members.ts'
import { requireDuration } from './role.ts'
import { sessionPolicies } from './session-policies.ts'
import { type SessionTags, sessionTags } from './session-tags.ts'

interface Found {
  readonly caller: WebIdentityUser
  readonly identity: WebIdentity
  readonly role: Role | undefined
  readonly tags: SessionTags
  readonly sourceIdentity: string | undefined
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html */
export const assumeRoleWithWebIdentity = unsignedOperation({
  name: 'AssumeRoleWithWebIdentity',
  readOnly: true,
  input: z.object({
    DurationSeconds: roleDuration.default(3600),
    MinimumSessionTokenSize: minimumSessionTokenSize,
    Policy: sessionPolicy.optional(),
    PolicyArns: sessionPolicyArns.optional(),
    // For tokens that are none of OpenID Connect.
    ProviderId: notOffered('ProviderId'),
    RoleArn: roleArn,
    RoleSessionName: roleSessionName,
    WebIdentityToken: webIdentityToken,
  }),
  recordedOfStranger: ({ DurationSeconds, RoleArn, RoleSessionName }) => ({
    durationSeconds: DurationSeconds,
    roleArn: shortened(RoleArn, 256),
    roleSessionName: RoleSessionName,
  }),
  async identify(input, { state, receivedAt }): Promise<Found> {
    const { identity, claims } = await verifyWebIdentity(input.WebIdentityToken, state, receivedAt)
    const caller = webIdentityUser(state.account.accountId, identity)
    return {
      caller,
      identity,
      role: state.roles.withArn(input.RoleArn),
      ...wanted(claims, caller),
    }
  },
  authorize(input, found, call) {
    for (const permission of permissions(input, found)) {
      const decision = decide(permission, call)
      if (decision.allowed) continue
      // In Amazon's words, which tell strangers nothing of the role.
      const reason =
        decision.because === 'explicit deny' ? `denied by ${decision.ground.statement}` : decision.because
      throw new AwsException('AccessDeniedException', `Not authorized to perform ${permission.action}`, {
        reason,
      })
    }
  },
  run(input, { caller, identity, role, tags, sourceIdentity }, { receivedAt: now, state }) {
    if (role === undefined) throw new Error('a role that is not there was allowed')
    requireDuration(input.DurationSeconds, role, caller)
    const session = requireIssued(
      state.sessions.issue(
        {
          kind: 'role',
          roleId: role.roleId,
          sessionName: input.RoleSessionName,
          tags: [...tags.all],
          transitiveTagKeys: [...tags.transitiveKeys],
          sourceIdentity,
          ...sessionPolicies(input, state),
          webIdentity: {
            ...identity,
            otherAudiences: [...identity.otherAudiences],
            methods: [...identity.methods],
          },
        },
        { now, seconds: input.DurationSeconds, minimumTokenSize: input.MinimumSessionTokenSize },
      ),
    )
    const size = tokenSize(session)
    return {
      SubjectFromWebIdentityToken: identity.subject,
      Audience: identity.audience,
      AssumedRoleUser: {
        AssumedRoleId: `${role.roleId}:${input.RoleSessionName}`,
        Arn: assumedRoleArn(state.account.accountId, role.roleName, input.RoleSessionName),
      },
      Credentials: credentialsStructure(session),
      Provider: identity.providerArn,
      PackedPolicySize: size.SessionTokenUtilization,
      SourceIdentity: sourceIdentity,
      ...size,
    }
  },
  recordedAnswer: (output) => ({
    subjectFromWebIdentityToken: output.SubjectFromWebIdentityToken,
    audience: output.Audience,
    provider: output.Provider,
    credentials: recordedCredentials(output.Credentials),
    assumedRoleUser: {
      assumedRoleId: output.AssumedRoleUser.AssumedRoleId,
      arn: output.AssumedRoleUser.Arn,
    },
    ...(output.SourceIdentity === undefined ? {} : { sourceIdentity: output.SourceIdentity }),
  }),
})

/**
 * The tags and the source identity that the token asks for.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html#id_session-tags_adding-assume-role-idp
 */
function wanted(claims: TokenClaims, caller: WebIdentityUser): Pick<Found, 'tags' | 'sourceIdentity'> {
  const { principal_tags: given = {}, transitive_tag_keys: transitive = [] } =
    claims['https://aws.amazon.com/tags'] ?? {}
  const Tags = Object.entries(given).map(([Key, value]) => ({ Key, Value: [value].flat().join('') }))
  const parsed = tags.safeParse(Tags)
  const identity = sourceIdentity.optional().safeParse(claims['https://aws.amazon.com/source_identity'])
  if (!parsed.success || !identity.success) {
    throw new AwsException(
      'InvalidIdentityToken',
      'The session tags or the source identity of the ID Token are not valid.',
    )
  }
  return {
    tags: sessionTags({ Tags: parsed.data, TransitiveTagKeys: transitive }, caller),
    sourceIdentity: identity.data,
  }
}

/** By the role's trust policy alone: whoever comes has no policies of his own. */
function permissions(
  { RoleArn: resource, RoleSessionName }: { RoleArn: string; RoleSessionName: string },
  { identity, role, tags, sourceIdentity }: Found,
): Permission[] {
  const conditionKeys = new Map<string, readonly string[]>([
    ...claimKeys(identity),
    ...resourceTags(role?.tags),
    ...requestTags([...tags.all].map(([Key, Value]) => ({ Key, Value }))),
    ['sts:rolesessionname', [RoleSessionName]],
  ])
  if (sourceIdentity !== undefined) conditionKeys.set('sts:sourceidentity', [sourceIdentity])
  if (tags.transitiveKeys.length > 0) conditionKeys.set('sts:transitivetagkeys', tags.transitiveKeys)
  const toDo = (action: string): Permission => ({
    action,
    resource,
    conditionKeys,
    trustOf: role ?? 'nobody',
  })
  return [
    toDo('sts:AssumeRoleWithWebIdentity'),
    ...(tags.all.size > 0 ? [toDo('sts:TagSession')] : []),
    ...(sourceIdentity === undefined ? [] : [toDo('sts:SetSourceIdentity')]),
  ]
}
