import { z } from 'zod'
import { operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { oidcProviderArn } from './oidc-members.ts'
import { seekOidcProvider } from './oidc-provider.ts'

/**
 * Roles that trust it stay as they are, and nobody gets them by it. That it is not there is no error, as at Amazon.
 * https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeleteOpenIDConnectProvider.html
 */
export const deleteOpenIdConnectProvider = operation({
  name: 'DeleteOpenIDConnectProvider',
  readOnly: false,
  input: z.object({ OpenIDConnectProviderArn: oidcProviderArn }),
  find: (input, call) => seekOidcProvider(input.OpenIDConnectProviderArn, call),
  permissions: (_input, sought) => [entityPermission('iam:DeleteOpenIDConnectProvider', sought)],
  run(_input, { entity }, { state }) {
    if (entity !== undefined) state.oidcProviders.delete(entity)
    return undefined
  },
})
