import { z } from 'zod'
import { rootUserArn } from '../arn.ts'
import { malformed } from './malformed.ts'

/** Whom a statement of a key policy or a trust policy is about. */
export type PrincipalName =
  | { readonly type: 'everyone' }
  /** The account's root user, and with it everyone in the account: see `evaluate`. */
  | { readonly type: 'account'; readonly accountId: string }
  /** A user, a role, or a session of a role. */
  | {
      readonly type: 'identity'
      readonly arn: string
      /** Who has the ARN later and is someone else is not meant; undefined: who that is is not known. */
      readonly uniqueId: string | undefined
    }
  /** Whom an OpenID Connect provider vouches for. */
  | { readonly type: 'federated'; readonly arn: string }
  /** One of Amazon's services. None of them calls here. */
  | { readonly type: 'service'; readonly name: string }

const texts = z.union([z.string().transform((text) => [text]), z.array(z.string()).min(1)])

const nobody: string[] = []

/** The `Principal` element, with the names as they stand there. */
export const principalElement = z.union(
  [
    z.literal('*').transform(() => ({ AWS: ['*'], Federated: nobody, Service: nobody })),
    z
      .strictObject({ AWS: texts.optional(), Federated: texts.optional(), Service: texts.optional() })
      .refine((names) => Object.keys(names).length > 0)
      .transform(({ AWS = [], Federated = [], Service = [] }) => ({ AWS, Federated, Service })),
  ],
  'a principal is "*", or has names under AWS, Federated or Service; no others are supported',
)

/** Throws MalformedPolicyDocumentException for a name of a form that nobody has. */
export function readPrincipals(element: z.infer<typeof principalElement>): PrincipalName[] {
  return [
    ...element.AWS.map(readAwsPrincipal),
    ...element.Federated.map(readFederated),
    ...element.Service.map(readService),
  ]
}

/** The name as an ARN, or `*`. */
export function principalText(name: PrincipalName): string {
  switch (name.type) {
    case 'everyone':
      return '*'
    case 'account':
      return rootUserArn(name.accountId)
    case 'identity':
    case 'federated':
      return name.arn
    case 'service':
      return name.name
  }
}

const accountForm = /^(?:(\d{12})|arn:aws:iam::(\d{12}):root)$/
const identityForm =
  /^arn:aws:(?:iam::\d{12}:(?:user|role)\/(?:(?![*?${}])[!-~])+|sts::\d{12}:assumed-role\/[\w+=,.@-]+\/[\w+=,.@-]+)$/
const federatedForm = /^arn:aws:iam::\d{12}:oidc-provider\/(?:(?![*?${}])[!-~]){1,255}$/
const serviceForm = /^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?$/

/** A name that stands under `AWS`. */
export function readAwsPrincipal(text: string): PrincipalName {
  if (text === '*') return { type: 'everyone' }
  const [, alone, inArn] = accountForm.exec(text) ?? []
  const accountId = alone ?? inArn
  if (accountId !== undefined) return { type: 'account', accountId }
  if (identityForm.test(text)) return { type: 'identity', arn: text, uniqueId: undefined }
  throw invalidPrincipal(text)
}

/** Whether there is such a provider is not asked, as at Amazon: it may come later, and come again. */
function readFederated(text: string): PrincipalName {
  if (!federatedForm.test(text)) throw invalidPrincipal(text)
  return { type: 'federated', arn: text }
}

function readService(text: string): PrincipalName {
  if (!serviceForm.test(text)) throw invalidPrincipal(text)
  return { type: 'service', name: text }
}

function invalidPrincipal(text: string): Error {
  return malformed(`Policy contains a statement with one or more invalid principals: ${text}`)
}
