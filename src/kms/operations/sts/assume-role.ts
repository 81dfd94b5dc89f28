import { z } from 'zod'
import { assumedRoleArn } from '../../arn.ts'
import { notOffered, tagKeys, tags } from '../iam/members.ts'
import { operation } from '../operation.ts'
import { assumeRolePermissions } from './assume-role-permissions.ts'
import { credentialsStructure, recordedCredentials, requireIssued, tokenSize } from './credentials.ts'
import {
  externalId,
  mfaMembers,
  minimumSessionTokenSize,
  roleArn,
  roleDuration,
  roleSessionName,
  sessionPolicy,
  sessionPolicyArns,
  sourceIdentity,
} from './members.ts'
import { provesMfa } from './mfa-proof.ts'
import { requireDuration, seekRole } from './role.ts'
import { sessionPolicies } from './session-policies.ts'
import { sessionSourceIdentity } from './source-identity.ts'
import { sessionTags } from './session-tags.ts'

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
export const assumeRole = operation({
  name: 'AssumeRole',
  readOnly: true,
  input: z.object({
    DurationSeconds: roleDuration.default(3600),
    ExternalId: externalId.optional(),
    MinimumSessionTokenSize: minimumSessionTokenSize,
    Policy: sessionPolicy.optional(),
    PolicyArns: sessionPolicyArns.optional(),
    ProvidedContexts: notOffered('ProvidedContexts'),
    RoleArn: roleArn,
    RoleSessionName: roleSessionName,
    SourceIdentity: sourceIdentity.optional(),
    Tags: tags.optional(),
    TransitiveTagKeys: tagKeys.optional(),
    ...mfaMembers,
  }),
  find: (input, call) => ({
    ...seekRole(input.RoleArn, call),
    tags: sessionTags(input, call.caller),
    sourceIdentity: sessionSourceIdentity(input.SourceIdentity, call.caller),
    mfaProved: false,
  }),
  prove: (input, found, call) => ({ ...found, mfaProved: provesMfa(input, call) }),
  permissions: assumeRolePermissions,
  run(input, { role, tags, sourceIdentity }, { caller, receivedAt: now, state }) {
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
        },
        { now, seconds: input.DurationSeconds, minimumTokenSize: input.MinimumSessionTokenSize },
      ),
    )
    const size = tokenSize(session)
    return {
      AssumedRoleUser: {
        AssumedRoleId: `${role.roleId}:${input.RoleSessionName}`,
        Arn: assumedRoleArn(state.account.accountId, role.roleName, input.RoleSessionName),
      },
      Credentials: credentialsStructure(session),
      PackedPolicySize: size.SessionTokenUtilization,
      SourceIdentity: sourceIdentity,
      ...size,
    }
  },
  recordedAnswer: ({ AssumedRoleUser, Credentials, SourceIdentity }) => ({
    credentials: recordedCredentials(Credentials),
    assumedRoleUser: { assumedRoleId: AssumedRoleUser.AssumedRoleId, arn: AssumedRoleUser.Arn },
    ...(SourceIdentity === undefined ? {} : { sourceIdentity: SourceIdentity }),
  }),
})
