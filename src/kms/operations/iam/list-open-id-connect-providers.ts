import { z } from 'zod'
import { oidcProviderArn } from '../../arn.ts'
import { operation } from '../operation.ts'

/** All at once: there are few. https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListOpenIDConnectProviders.html */
export const listOpenIdConnectProviders = operation({
  name: 'ListOpenIDConnectProviders',
  readOnly: true,
  input: z.object({}),
  find: () => undefined,
  permissions: (_input, _found, { state }) => [
    { action: 'iam:ListOpenIDConnectProviders', resource: oidcProviderArn(state.account.accountId, '*') },
  ],
  run: (_input, _found, { state }) => ({
    OpenIDConnectProviderList: state.oidcProviders
      .all()
      .map(({ arn }) => arn)
      .sort()
      .map((Arn) => ({ Arn })),
  }),
})
