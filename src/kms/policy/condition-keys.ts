/** `kms:EncryptionContext:KEY`, in lower case. */
export const contextKeyPrefix = 'kms:encryptioncontext:'
/** The names of the pairs of an encryption context. */
export const contextKeysKey = 'kms:encryptioncontextkeys'
export const principalTagPrefix = 'aws:principaltag/'
const requestTagPrefix = 'aws:requesttag/'
export const resourceTagPrefix = 'aws:resourcetag/'
const iamResourceTagPrefix = 'iam:resourcetag/'

const prefixes: readonly string[] = [
  contextKeyPrefix,
  principalTagPrefix,
  requestTagPrefix,
  resourceTagPrefix,
  iamResourceTagPrefix,
]

/**
 * The condition keys with one value that a policy may name, in lower case.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html
 * https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
 */
const singleValued: ReadonlySet<string> = new Set([
  'aws:currenttime',
  'aws:epochtime',
  'aws:federatedprovider',
  'aws:multifactorauthage',
  'aws:multifactorauthpresent',
  'aws:principalaccount',
  'aws:principalarn',
  'aws:principalisawsservice',
  'aws:principaltype',
  'aws:requestedregion',
  'aws:resourceaccount',
  'aws:securetransport',
  'aws:sourceidentity',
  'aws:sourceip',
  'aws:tokenissuetime',
  'aws:useragent',
  'aws:userid',
  'aws:username',
  'aws:viaawsservice',
  'iam:policyarn',
  'kms:bypasspolicylockoutsafetycheck',
  'kms:calleraccount',
  'kms:customermasterkeyspec',
  'kms:customermasterkeyusage',
  'kms:encryptionalgorithm',
  'kms:expirationmodel',
  'kms:grantconstrainttype',
  'kms:granteeprincipal',
  'kms:grantisforawsresource',
  'kms:keyorigin',
  'kms:keyspec',
  'kms:keyusage',
  'kms:multiregion',
  'kms:multiregionkeytype',
  'kms:primaryregion',
  'kms:reencryptonsamekey',
  'kms:replicaregion',
  'kms:requestalias',
  'kms:retiringprincipal',
  'kms:rotationperiodindays',
  'kms:schedulekeydeletionpendingwindowindays',
  'kms:validto',
  'kms:wrappingalgorithm',
  'kms:wrappingkeyspec',
  'sts:externalid',
  'sts:rolesessionname',
  'sts:sourceidentity',
])

/**
 * Known to be missing from every request, which is an answer too: there are no organizations and private networks here,
 * no calls through other services, no asymmetric keys.
 */
const neverThere: ReadonlySet<string> = new Set([
  'aws:calledviafirst',
  'aws:calledvialast',
  'aws:ec2instancesourceprivateipv4',
  'aws:ec2instancesourcevpc',
  'aws:principalorgid',
  'aws:principalservicename',
  'aws:referer',
  'aws:resourceorgid',
  'aws:sourceaccount',
  'aws:sourcearn',
  'aws:sourceorgid',
  'aws:sourcevpc',
  'aws:sourcevpcarn',
  'aws:sourcevpce',
  'aws:vpcsourceip',
  'iam:awsservicename',
  'iam:passedtoservice',
  'iam:permissionsboundary',
  'kms:datakeypairspec',
  'kms:keyagreementalgorithm',
  'kms:macalgorithm',
  'kms:messagetype',
  'kms:signingalgorithm',
  'kms:viaservice',
  'sts:awsservicename',
])

const multivalued: ReadonlySet<string> = new Set([
  'aws:tagkeys',
  contextKeysKey,
  'kms:grantoperations',
  'kms:resourcealiases',
  'sts:transitivetagkeys',
  // never there
  'aws:calledvia',
  'aws:principalorgpaths',
  'aws:principalservicenameslist',
  'aws:resourceorgpaths',
  'aws:sourceorgpaths',
])

/**
 * `HOST/PATH:sub`: what a token of an OpenID Connect provider claims. Whether there is such a provider is not asked.
 * https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html#condition-keys-wif
 */
const claimForm =
  /^(?!(?:aws|kms|iam|sts|cloudtrail):)[a-z0-9.-]+(?::\d{1,5})?(?:\/[^:]*)?:(?:amr|aud|oaud|sub)$/

/** Names of condition keys are the same in any case. */
export function isKnownConditionKey(key: string): boolean {
  const name = key.toLowerCase()
  return (
    singleValued.has(name) ||
    neverThere.has(name) ||
    multivalued.has(name) ||
    claimForm.test(name) ||
    prefixes.some((prefix) => name.startsWith(prefix) && name.length > prefix.length)
  )
}

/** Whether a request may have several values for it, so that ForAllValues and ForAnyValue are meant for it. */
export function isMultivaluedConditionKey(key: string): boolean {
  const name = key.toLowerCase()
  return multivalued.has(name) || (claimForm.test(name) && /:(amr|oaud)$/.test(name))
}

/**
 * The keys with one value, of pairs that the caller chooses: with ForAllValues, a request without the pair would do.
 * AWS KMS refuses such a key policy: https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html
 */
export function isPairOfRequest(key: string): boolean {
  const name = key.toLowerCase()
  return name.startsWith(contextKeyPrefix) || name.startsWith(requestTagPrefix)
}
