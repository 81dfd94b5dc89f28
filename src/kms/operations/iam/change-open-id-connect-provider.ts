import { z } from 'zod'
import type { OidcProvider, OidcProviderAttributes } from '../../state/oidc-providers.ts'
import { type Operation, operation } from '../operation.ts'
import { entityPermission } from './entity-permission.ts'
import { clientId, oidcProviderArn, thumbprints } from './oidc-members.ts'
import { checkedClientIds, checkedThumbprints, seekOidcProvider } from './oidc-provider.ts'
import { existing } from './sought.ts'

/** One that is there already is no error. https://docs.aws.amazon.com/IAM/latest/APIReference/API_AddClientIDToOpenIDConnectProvider.html */
export const addClientIdToOpenIdConnectProvider = changeOperation(
  'AddClientIDToOpenIDConnectProvider',
  { ClientID: clientId },
  ({ clientIds }, { ClientID }) => ({ clientIds: checkedClientIds([...clientIds, ClientID]) }),
)

/** One that is not there is no error. https://docs.aws.amazon.com/IAM/latest/APIReference/API_RemoveClientIDFromOpenIDConnectProvider.html */
export const removeClientIdFromOpenIdConnectProvider = changeOperation(
  'RemoveClientIDFromOpenIDConnectProvider',
  { ClientID: clientId },
  ({ clientIds }, { ClientID }) => ({ clientIds: clientIds.filter((one) => one !== ClientID) }),
)

/** They take the place of all before. https://docs.aws.amazon.com/IAM/latest/APIReference/API_UpdateOpenIDConnectProviderThumbprint.html */
export const updateOpenIdConnectProviderThumbprint = changeOperation(
  'UpdateOpenIDConnectProviderThumbprint',
  { ThumbprintList: thumbprints },
  (_provider, { ThumbprintList }) => ({ thumbprints: checkedThumbprints(ThumbprintList) }),
)

function changeOperation<Shape extends z.core.$ZodLooseShape>(
  name: string,
  members: Shape,
  changes: (provider: OidcProvider, input: z.output<z.ZodObject<Shape>>) => Partial<OidcProviderAttributes>,
): Operation<undefined> {
  return operation({
    name,
    readOnly: false,
    input: z.intersection(z.object({ OpenIDConnectProviderArn: oidcProviderArn }), z.object(members)),
    find: (input, call) => seekOidcProvider(input.OpenIDConnectProviderArn, call),
    permissions: (_input, sought) => [entityPermission(`iam:${name}`, sought)],
    run(input, sought, { state }) {
      const provider = existing(sought)
      state.oidcProviders.update(provider, changes(provider, input))
      return undefined
    },
  })
}
