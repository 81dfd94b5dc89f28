import { z } from 'zod'
import { formList } from '../../protocol/form-types.ts'

/*
 * The members of the operations on OpenID Connect providers, with Amazon's bounds.
 */

export const oidcProviderArn = z.string().min(20).max(2048)
export const oidcUrl = z.string().min(1).max(255)
export const clientId = z.string().min(1).max(255)
export const clientIds = formList(clientId)
/** The hexadecimal SHA-1 of a certificate. */
export const thumbprints = formList(z.string().min(40).max(40))
