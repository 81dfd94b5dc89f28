import type { Logger } from 'pino'
import type { TrailLookup } from './audit/lookup.ts'
import { fetchIssuerKeys } from './federation/fetch-issuer-keys.ts'
import { IssuerKeys } from './federation/issuer-keys.ts'
import type { State } from './operations/call.ts'
import { AccessKeyUsage } from './state/access-key-usage.ts'
import { Aliases } from './state/aliases.ts'
import type { DataDirectory } from './state/data-directory.ts'
import { Grants } from './state/grants.ts'
import { openIam } from './state/iam.ts'
import { KeyUsage } from './state/key-usage.ts'
import type { KeyStore } from './state/keys/key-store.ts'
import { Keys } from './state/keys.ts'
import { MfaDevices } from './state/mfa-devices.ts'
import { SessionPolicies } from './state/session-policies.ts'
import { SessionPrincipals } from './state/session-principals.ts'
import { Sessions } from './state/sessions.ts'

/** The state of each region that is served, by its name; the home region is always among them. */
export function openStates(
  { database, rootKey, account: { accountId, region: home } }: DataDirectory,
  store: KeyStore,
  { regions, trailLookup, log }: { regions: readonly string[]; trailLookup: TrailLookup; log: Logger },
): ReadonlyMap<string, State> {
  const states = new Map<string, State>()
  const iam = openIam(database, rootKey, accountId, log)
  const sessionPolicies = new SessionPolicies(iam.managedPolicies, log)
  const shared = {
    ...iam,
    accessKeyUsage: new AccessKeyUsage(database, log),
    mfaDevices: new MfaDevices(database, rootKey, accountId),
    sessions: new Sessions(database, rootKey, new SessionPrincipals(accountId, iam, sessionPolicies)),
    issuerKeys: new IssuerKeys(fetchIssuerKeys, log),
    trailLookup,
    log,
    regions: states,
  }
  for (const region of new Set([home, ...regions])) {
    const account = { accountId, region }
    states.set(region, {
      ...shared,
      account,
      keys: new Keys(store, region),
      aliases: new Aliases(database, rootKey, { region, log }),
      grants: new Grants(database, rootKey, { region, log }),
      keyUsage: new KeyUsage(database, region, log),
    })
  }
  return states
}
