import type { DescribedMasterKey, Examination } from '../../keyring/examination.ts'
import { regionOf } from '../../keyring/master-keys/region.ts'
import type { Check } from '../check.ts'
import type { Examined } from '../examined.ts'
import { type Finding, notChecked, type Outcome } from '../finding.ts'
import { given, isSeen } from '../looked.ts'

/** Whether each master key that a stored key needs, and the one for new keys, can be used, and goes on being usable. */
export const masterKeyState: Check = {
  about: 'the state of the master key',
  run: ({ examination, now }) =>
    given(examination, ({ masterKey: { described, endpoint } }) =>
      described.length === 0
        ? [notChecked('no master key is configured, and no key is stored')]
        : described.flatMap((masterKey) => stateOf(masterKey, endpoint, now)),
    ),
}

/** Imported material that ends within so many milliseconds is told of. */
const month = 30 * 24 * 3600 * 1000

function stateOf(masterKey: DescribedMasterKey, endpoint: string, now: Date): Outcome {
  const { name, state, deletionDate, validTo, problem } = masterKey
  const where = masterKey.arn ?? name
  if (problem !== undefined) return troubleOf(where, endpoint, problem)
  if (state === 'PendingDeletion' || state === 'PendingReplicaDeletion')
    return [
      {
        code: 'SRD_MASTER_KEY_PENDING_DELETION',
        where,
        what: `will be deleted${deletionDate === undefined ? '' : ` on ${deletionDate}`}, and every data key under it is lost then`,
        remedy: 'cancel the deletion (kms:CancelKeyDeletion) and enable it again',
      },
    ]
  if (state === 'Disabled')
    return [
      {
        code: 'SRD_MASTER_KEY_DISABLED',
        where,
        what: 'is disabled: the next start of the agent can not unwrap the keys, and no key can be made',
        remedy:
          'enable it, or open a window for each start if that is your arrangement (strongroom master-key window)',
      },
    ]
  if (state !== undefined && state !== 'Enabled')
    return [
      {
        code: 'SRD_MASTER_KEY_UNUSABLE',
        where,
        what: `is in the state ${state}, in which it can not be used`,
        remedy: 'bring it back: import its material again, or wait for what the KMS is doing to it',
      },
    ]
  const end = validTo === undefined ? Infinity : Date.parse(validTo) - now.getTime()
  if (end > month) return []
  return [
    {
      code: 'SRD_MASTER_KEY_EXPIRES',
      where,
      what: `has imported material that expires on ${validTo ?? ''}: it can not be used from then on`,
      remedy: 'import the same material again, with a later end or none',
    },
  ]
}

function troubleOf(
  where: string,
  endpoint: string,
  { code, message }: NonNullable<DescribedMasterKey['problem']>,
): Outcome {
  switch (code) {
    case 'SR_KMS_UNREACHABLE':
    case 'SR_KMS_FAILED':
      return [
        {
          code: 'SRD_KMS_UNREACHABLE',
          where: endpoint,
          what: message,
          remedy:
            "see that this host reaches the KMS (name, route, proxy, firewall, certificate): the agent's next start needs it",
        },
      ]
    case 'SR_KMS_CREDENTIALS':
    case 'SR_KMS_CREDENTIALS_AWAITED':
    case 'SR_KMS_CREDENTIALS_EXPIRED':
      return [
        {
          code: 'SRD_KMS_CREDENTIALS',
          where: endpoint,
          what: message,
          remedy:
            'give the agent valid credentials where the message says, or run `strongroom with-mfa` if that is your arrangement',
        },
      ]
    case 'SR_MASTER_KEY_NOT_FOUND':
      return [
        {
          code: 'SRD_MASTER_KEY_NOT_FOUND',
          where,
          what: message,
          remedy:
            'correct master-key-id, region or endpoint-url in agent.conf; the manifest has the ARN that the stored keys need',
        },
      ]
    // A right that is missing is the finding of another check.
    default:
      return [notChecked(`${where}: ${message}`)]
  }
}

/** Whether the configured master key is the one that the stored keys are under. */
export const masterKeyIdentity: Check = {
  about: 'whether the stored keys are under the configured master key',
  run: (examined) =>
    given(examined.examination, ({ keys, masterKey }) => {
      const { name, described } = masterKey
      if (name === undefined) return masterKeyUnset(examined)
      const arn = described.find((one) => one.name === name)?.arn
      const used = [...new Set(keys.flatMap((key) => (key.isStray ? [] : (key.masterKey ?? []))))]
      const region = regionFinding(masterKey, used)
      if (region !== undefined) return [region]
      if (arn === undefined) return [notChecked(`${name} can not be described`)]
      const latest = latestMasterKey(keys)
      const moved =
        isAlias(name) && latest !== undefined && latest !== arn ? [aliasFinding(name, arn, latest)] : []
      const others = used.filter((one) => one !== arn && !(moved.length > 0 && one === latest))
      return [...moved, ...others.map((one) => otherFinding(one, arn, keys))]
    }),
}

function masterKeyUnset({ keyring }: Examined): Outcome {
  if (isSeen(keyring) && keyring.seen.acceptsOptions)
    return [
      notChecked("what MariaDB's options say of the master key is not known before the server has connected"),
    ]
  return [
    {
      code: 'SRD_MASTER_KEY_UNSET',
      where: isSeen(keyring) ? `${keyring.seen.place.file}: [${keyring.seen.place.section}]` : 'agent.conf',
      what: 'names no master key: the stored keys are served, and no new one can be made',
      remedy: 'set master-key-id, unless no key is to be made',
    },
  ]
}

/** KMS keeps each key in one region, and looks for it nowhere else. */
function regionFinding(
  { name = '', region, endpoint }: Examination['masterKey'],
  used: readonly string[],
): Finding | undefined {
  const wanted = [regionOf(name), ...used.map(regionOf)].find((one) => one !== undefined && one !== region)
  if (region === undefined || wanted === undefined) return undefined
  return {
    code: 'SRD_MASTER_KEY_REGION',
    where: regionOf(name) === wanted ? name : (used.find((arn) => regionOf(arn) === wanted) ?? name),
    what: `is in ${wanted}, and the agent asks ${endpoint} in ${region}`,
    remedy: `set region = ${wanted} in agent.conf`,
  }
}

function isAlias(name: string): boolean {
  return /^(arn:[^:]+:kms:[^:]*:[^:]*:)?alias\//.test(name)
}

/** Of the key that was issued last of the first id. */
function latestMasterKey(keys: Examination['keys']): string | undefined {
  return keys.findLast(
    ({ keyId, masterKey, isStray }) => keyId === (keys[0]?.keyId ?? 1) && masterKey !== undefined && !isStray,
  )?.masterKey
}

function aliasFinding(name: string, arn: string, latest: string): Finding {
  return {
    code: 'SRD_ALIAS_MOVED',
    where: name,
    what: `points to ${arn} now; the stored keys are under ${latest}`,
    remedy:
      'if it was moved on purpose, rotate each key so that new data comes under the new master key, and keep the former enabled: old data needs it; else move the alias back',
  }
}

function otherFinding(one: string, arn: string, keys: Examination['keys']): Finding {
  const count = keys.filter(({ masterKey }) => masterKey === one).length
  return {
    code: 'SRD_MASTER_KEY_OTHER',
    where: one,
    what: `wraps ${count} of the stored keys, and is not the configured master key ${arn}`,
    remedy: 'keep it enabled: data under those keys needs it, however old it is',
  }
}
