import { z } from 'zod'
import { oidcProviderArn } from '../../arn.ts'
import { AwsException } from '../../protocol/exceptions.ts'
import { operation } from '../operation.ts'
import { requestTags } from './condition-keys.ts'
import { tags } from './members.ts'
import { clientIds, oidcUrl, thumbprints } from './oidc-members.ts'
import { checkedClientIds, checkedThumbprints, oidcProviderName } from './oidc-provider.ts'
import { quotas, requireRoom } from './quotas.ts'
import { newTags, tagsMember } from './tags.ts'

/**
 * Where no thumbprint is given, Amazon asks the provider for its certificate and trusts that. Ours trusts none but those
 * of the authorities then. https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateOpenIDConnectProvider.html
 */
export const createOpenIdConnectProvider = operation({
  name: 'CreateOpenIDConnectProvider',
  readOnly: false,
  input: z.object({
    ClientIDList: clientIds.default([]),
    Tags: tags.optional(),
    ThumbprintList: thumbprints.default([]),
    Url: oidcUrl,
  }),
  find(input, { state }) {
    const name = oidcProviderName(input.Url)
    return { name, arn: oidcProviderArn(state.account.accountId, name) }
  },
  permissions({ Tags = [] }, { arn: resource }) {
    const conditionKeys = requestTags(Tags)
    const create = { action: 'iam:CreateOpenIDConnectProvider', resource, conditionKeys }
    return Tags.length === 0
      ? [create]
      : [create, { action: 'iam:TagOpenIDConnectProvider', resource, conditionKeys }]
  },
  run(input, { name }, { state: { oidcProviders } }) {
    if (oidcProviders.named(name) !== undefined) {
      throw new AwsException('EntityAlreadyExists', `Provider with url https://${name} already exists.`)
    }
    requireRoom('OpenIdConnectProvidersPerAccount', oidcProviders.count, quotas.oidcProviders)
    const provider = oidcProviders.create(name, {
      clientIds: checkedClientIds(input.ClientIDList),
      thumbprints: checkedThumbprints(input.ThumbprintList),
      tags: newTags(input.Tags),
    })
    return { OpenIDConnectProviderArn: provider.arn, ...tagsMember(provider.tags) }
  },
  recordedAnswer: ({ OpenIDConnectProviderArn }) => ({ openIDConnectProviderArn: OpenIDConnectProviderArn }),
})
