import { CreateUserCommand, DeleteUserCommand } from '@aws-sdk/client-iam'
import {
  CreateAliasCommand,
  CreateGrantCommand,
  CreateKeyCommand,
  DeleteAliasCommand,
  GetKeyPolicyCommand,
  type KMSClient,
  ListAliasesCommand,
  ListGrantsCommand,
  ListKeyPoliciesCommand,
  ListKeysCommand,
  ListResourceTagsCommand,
  ListRetirableGrantsCommand,
  paginateListAliases,
  PutKeyPolicyCommand,
  RevokeGrantCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import fc from 'fast-check'
import { startTestService } from '../../../../test/support/kms-service.ts'

const userArn = 'arn:aws:iam::111122223333:user/bob'

interface Page {
  readonly ids: readonly (string | undefined)[]
  readonly Truncated?: boolean | undefined
  readonly NextMarker?: string | undefined
}

interface Asked {
  readonly Limit?: number
  readonly Marker?: string
}

/** A list, with what changes it. */
interface Listing {
  readonly page: (asked: Asked) => Promise<Page>
  /** Adds the n-th item, whose place in the list is anywhere; returns its id. */
  readonly add: (n: number) => Promise<string | undefined>
  /** Undefined: nothing can be removed at once. */
  readonly remove?: (id: string) => Promise<unknown>
  readonly mostOnAPage: number
}

async function newKey(kms: KMSClient): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  return KeyMetadata?.KeyId ?? assert.fail('no key id')
}

/** Numbers in no order that is easy to guess, each once. */
const scattered = (n: number): string => ((n * 7919) % 10_007).toString(16)

async function listings(kms: KMSClient): Promise<Record<string, Listing>> {
  const [ofAliases, ofGrants, ofTags] = [await newKey(kms), await newKey(kms), await newKey(kms)]
  const grant = async (more: object): Promise<string | undefined> => {
    const wanted = { KeyId: ofGrants, GranteePrincipal: userArn, Operations: ['Encrypt' as const], ...more }
    return (await kms.send(new CreateGrantCommand(wanted))).GrantId
  }
  const revoke = (GrantId: string): Promise<unknown> =>
    kms.send(new RevokeGrantCommand({ KeyId: ofGrants, GrantId }))
  const aliases = (prefix: string, KeyId?: string): Listing => ({
    async page(asked) {
      const { Aliases = [], ...more } = await kms.send(new ListAliasesCommand({ ...asked, KeyId }))
      return { ids: Aliases.map(({ AliasName }) => AliasName), ...more }
    },
    async add(n) {
      const AliasName = `alias/${prefix}${scattered(n)}`
      // Those of all keys are of many, as a key has at most 50.
      await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: KeyId ?? (await newKey(kms)) }))
      return AliasName
    },
    remove: (AliasName) => kms.send(new DeleteAliasCommand({ AliasName })),
    mostOnAPage: 100,
  })
  return {
    ListKeys: {
      async page(asked) {
        const { Keys = [], ...more } = await kms.send(new ListKeysCommand(asked))
        return { ids: Keys.map(({ KeyId }) => KeyId), ...more }
      },
      add: () => newKey(kms),
      mostOnAPage: 1000,
    },
    'ListAliases of a key': aliases('a', ofAliases),
    'ListAliases of all': aliases('b'),
    ListGrants: {
      async page(asked) {
        const { Grants = [], ...more } = await kms.send(new ListGrantsCommand({ ...asked, KeyId: ofGrants }))
        return { ids: Grants.map(({ GrantId }) => GrantId), ...more }
      },
      add: () => grant({}),
      remove: revoke,
      mostOnAPage: 100,
    },
    ListRetirableGrants: {
      async page(asked) {
        const { Grants = [], ...more } = await kms.send(
          new ListRetirableGrantsCommand({ ...asked, RetiringPrincipal: userArn }),
        )
        return { ids: Grants.map(({ GrantId }) => GrantId), ...more }
      },
      add: () => grant({ RetiringPrincipal: userArn }),
      remove: revoke,
      mostOnAPage: 100,
    },
    ListResourceTags: {
      async page(asked) {
        const { Tags = [], ...more } = await kms.send(
          new ListResourceTagsCommand({ ...asked, KeyId: ofTags }),
        )
        return { ids: Tags.map(({ TagKey }) => TagKey), ...more }
      },
      async add(n) {
        const TagKey = `ä${scattered(n)}`
        await kms.send(new TagResourceCommand({ KeyId: ofTags, Tags: [{ TagKey, TagValue: '' }] }))
        return TagKey
      },
      remove: (TagKey) => kms.send(new UntagResourceCommand({ KeyId: ofTags, TagKeys: [TagKey] })),
      mostOnAPage: 50,
    },
  }
}

/** All pages, one after the other; `between` is called after each. */
async function allPages(listing: Listing, Limit: number, between: () => Promise<unknown>): Promise<string[]> {
  const ids: string[] = []
  for (let Marker: string | undefined; ;) {
    const page = await listing.page({ Limit, ...(Marker !== undefined && { Marker }) })
    assert.ok(page.ids.length <= Limit)
    assert.equal(page.Truncated, page.NextMarker !== undefined)
    ids.push(...page.ids.map((id) => id ?? assert.fail('no id')))
    assert.ok(ids.length < 1000, 'the pages have no end')
    if (page.NextMarker === undefined) return ids
    assert.equal(page.ids.length, Limit)
    Marker = page.NextMarker
    await between()
  }
}

describe('lists, page by page', () => {
  test('the pages together are the list, whatever their length and whatever changes meanwhile', async (t) => {
    const service = await startTestService(t)
    await service.iam().send(new CreateUserCommand({ UserName: 'bob' }))
    const kms = service.kms()
    for (const [name, listing] of Object.entries(await listings(kms))) {
      let made = 0
      const add = async (): Promise<string> => (await listing.add(made++)) ?? assert.fail('no id')
      for (let i = 0; i < 9; i++) await add()
      const unchanged = await allPages(listing, 1, () => Promise.resolve())
      assert.deepEqual(unchanged, await allPages(listing, 50, () => Promise.resolve()), name)
      assert.deepEqual(unchanged, [...unchanged].sort(), name)
      assert.ok(unchanged.length >= 9)
      const changes = fc.array(fc.constantFrom('add', 'remove', 'nothing'), { minLength: 1, maxLength: 6 })
      await fc.assert(
        fc.asyncProperty(fc.integer({ min: 1, max: 12 }), changes, async (limit, todo) => {
          const before = await allPages(listing, 50, () => Promise.resolve())
          const gone = new Set<string>()
          const added = new Set<string>()
          let step = 0
          const seen = await allPages(listing, limit, async () => {
            const what = todo[step++ % todo.length]
            const victim = [...before, ...added].find((id, i) => !gone.has(id) && i % 3 === step % 3)
            if (what === 'add' && added.size < 3) added.add(await add())
            if (what === 'remove' && victim !== undefined && before.length > 5) {
              await listing.remove?.(victim)
              if (listing.remove !== undefined) gone.add(victim)
            }
          })
          assert.equal(new Set(seen).size, seen.length, 'nothing comes twice')
          assert.deepEqual(seen, [...seen].sort())
          for (const id of before) if (!gone.has(id)) assert.ok(seen.includes(id), `${id} was skipped`)
          for (const id of seen) assert.ok(before.includes(id) || added.has(id))
          // Back to the length at the start, more or less: some lists have bounds.
          for (const id of added) if (!gone.has(id)) await listing.remove?.(id)
          for (let i = [...gone].filter((id) => before.includes(id)).length; i > 0; i--) await add()
        }),
        { numRuns: 8 },
      )
    }
  })

  test('a page has at most what Amazon says, and no marker but those that were given out', async (t) => {
    const service = await startTestService(t)
    await service.iam().send(new CreateUserCommand({ UserName: 'bob' }))
    const kms = service.kms()
    for (const [name, listing] of Object.entries(await listings(kms))) {
      for (const Limit of [0, 1001]) {
        const expected = { name: 'ValidationException', message: new RegExp(`Value '${Limit}' at 'limit'`) }
        await assert.rejects(listing.page({ Limit }), expected, name)
      }
      for (const Marker of ['x', '!', Buffer.from('\n').toString('base64')]) {
        await assert.rejects(listing.page({ Marker }), { name: 'InvalidMarkerException' }, name)
      }
      await assert.rejects(listing.page({ Marker: 'x'.repeat(1025) }), { name: 'ValidationException' }, name)
      if (listing.mostOnAPage > 100) continue
      const more = name === 'ListResourceTags' || name === 'ListAliases of a key' ? 0 : 1
      const count = (await listing.page({ Limit: 1000 })).ids.length
      for (let i = count; i < Math.min(listing.mostOnAPage, 50) * (1 + more) + more; i++)
        await listing.add(i + 500)
      const page = await listing.page({ Limit: 1000 })
      assert.equal(page.ids.length, Math.min(listing.mostOnAPage, 50 * (1 + more)), name)
      assert.equal(page.Truncated, more === 1, name)
      assert.equal((await listing.page({})).ids.length, 50, name)
    }
  })

  test('the paginators of the SDK go through', async (t) => {
    const kms = (await startTestService(t)).kms()
    const TargetKeyId = await newKey(kms)
    for (let i = 0; i < 7; i++) {
      await kms.send(new CreateAliasCommand({ AliasName: `alias/${i}`, TargetKeyId }))
    }
    const names: unknown[] = []
    for await (const { Aliases } of paginateListAliases({ client: kms, pageSize: 3 }, {})) {
      names.push((Aliases ?? []).map(({ AliasName }) => AliasName))
    }
    assert.deepEqual(names, [
      ['alias/0', 'alias/1', 'alias/2'],
      ['alias/3', 'alias/4', 'alias/5'],
      ['alias/6'],
    ])
  })

  test('ListKeyPolicies and GetKeyPolicy know one policy', async (t) => {
    const service = await startTestService(t)
    const kms = service.kms()
    const KeyId = await newKey(kms)
    const { PolicyNames, Truncated } = await kms.send(new ListKeyPoliciesCommand({ KeyId, Limit: 1 }))
    assert.deepEqual([PolicyNames, Truncated], [['default'], false])
    await assert.rejects(kms.send(new ListKeyPoliciesCommand({ KeyId, Marker: 'x' })), {
      name: 'InvalidMarkerException',
    })
    const { Policy, PolicyName } = await kms.send(new GetKeyPolicyCommand({ KeyId }))
    assert.equal(PolicyName, 'default')
    assert.match(Policy ?? '', /Enable IAM User Permissions/)
    await assert.rejects(kms.send(new GetKeyPolicyCommand({ KeyId, PolicyName: 'other' })), {
      name: 'NotFoundException',
      message: 'No such policy exists',
    })
    const bob = service.kms(await service.makeUser('bob'))
    await assert.rejects(bob.send(new ListKeyPoliciesCommand({ KeyId })), {
      name: 'AccessDeniedException',
      message: /kms:ListKeyPolicies/,
    })
  })

  test('a key policy shows the unique id of who is no more', async (t) => {
    const service = await startTestService(t)
    const kms = service.kms()
    const KeyId = await newKey(kms)
    await service.iam().send(new CreateUserCommand({ UserName: 'bob' }))
    const Principal = { AWS: ['arn:aws:iam::111122223333:root', userArn] }
    const Statement = [{ Effect: 'Allow', Principal, Action: 'kms:*', Resource: '*' }]
    const Policy = JSON.stringify({ Version: '2012-10-17', Statement })
    await kms.send(new PutKeyPolicyCommand({ KeyId, Policy }))
    const shown = async (): Promise<string | undefined> =>
      (await kms.send(new GetKeyPolicyCommand({ KeyId }))).Policy
    assert.equal(await shown(), Policy)
    await service.iam().send(new DeleteUserCommand({ UserName: 'bob' }))
    const text = await shown()
    assert.match(text ?? '', /"AIDA[A-Z2-7]{16}"/)
    assert.ok(text?.includes(userArn) === false)
  })
})
