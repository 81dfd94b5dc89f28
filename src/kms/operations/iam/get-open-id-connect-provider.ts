import { z } from 'zod'
import { operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { oidcProviderArn } from './oidc-members.ts'
import { seekOidcProvider } from './oidc-provider.ts'
import { existing } from './sought.ts'
import { tagsMember } from './tags.ts'

/** https://docs.aws.amazon.com/IAM/latest/APIReference/API_GetOpenIDConnectProvider.html */
export const getOpenIdConnectProvider = operation({
  name: 'GetOpenIDConnectProvider',
  readOnly: true,
  input: z.object({ OpenIDConnectProviderArn: oidcProviderArn }),
  find: (input, call) => seekOidcProvider(input.OpenIDConnectProviderArn, call),
  permissions: (_input, sought) => [entityPermission('iam:GetOpenIDConnectProvider', sought)],
  run(_input, sought) {
    const { name, clientIds, thumbprints, createdAt, tags } = existing(sought)
    return {
      // As Amazon answers: without the `https://` with which it was made.
      Url: name,
      ClientIDList: clientIds,
      ThumbprintList: thumbprints,
      CreateDate: createdAt,
      ...tagsMember(tags),
    }
  },
})
