import {
  CreateAliasCommand,
  CreateKeyCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  DisableKeyCommand,
  KMSClient,
  ListAliasesCommand,
  ScheduleKeyDeletionCommand,
  UpdateAliasCommand,
} from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { startTestService } from '../../../../test/support/kms-service.ts'

const unknownKeyId = '00112233-4455-6677-8899-aabbccddeeff'
const arnOf = (name: string): string => `arn:aws:kms:us-east-1:111122223333:${name}`

async function newKey(kms: KMSClient): Promise<string> {
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  return KeyMetadata?.KeyId ?? assert.fail('no key id')
}

async function keyNamed(kms: KMSClient, name: string): Promise<string | undefined> {
  const { KeyMetadata } = await kms.send(new DescribeKeyCommand({ KeyId: name }))
  return KeyMetadata?.KeyId
}

async function namesOf(kms: KMSClient, KeyId?: string): Promise<(string | undefined)[]> {
  const { Aliases = [] } = await kms.send(new ListAliasesCommand({ KeyId }))
  return Aliases.map(({ AliasName }) => AliasName)
}

describe('aliases, through the AWS SDK', () => {
  test('an alias goes from one key to another, and is deleted, also across a restart', async (t) => {
    const service = await startTestService(t)
    let kms = service.kms()
    const [a, b] = [await newKey(kms), await newKey(kms)]
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/x', TargetKeyId: a }))
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/y', TargetKeyId: arnOf(`key/${a}`) }))
    const before = (await kms.send(new ListAliasesCommand({}))).Aliases?.[0]
    await kms.send(new UpdateAliasCommand({ AliasName: 'alias/x', TargetKeyId: b }))
    await kms.send(new DeleteAliasCommand({ AliasName: 'alias/y' }))
    for (let i = 0; i < 2; i++) {
      assert.equal(await keyNamed(kms, 'alias/x'), b)
      assert.equal(await keyNamed(kms, arnOf('alias/x')), b)
      assert.deepEqual(await namesOf(kms, a), [])
      assert.deepEqual(await namesOf(kms, b), ['alias/x'])
      assert.deepEqual(await namesOf(kms), ['alias/x'])
      await assert.rejects(keyNamed(kms, 'alias/y'), {
        name: 'NotFoundException',
        message: 'Alias arn:aws:kms:us-east-1:111122223333:alias/y is not found.',
      })
      await service.reopen()
      kms = service.kms()
    }
    const after = (await kms.send(new ListAliasesCommand({}))).Aliases?.[0]
    assert.deepEqual(after?.CreationDate, before?.CreationDate)
    assert.ok((after?.LastUpdatedDate?.getTime() ?? 0) >= (before?.LastUpdatedDate?.getTime() ?? Infinity))
    assert.deepEqual(
      { ...after, CreationDate: 0, LastUpdatedDate: 0 },
      {
        AliasName: 'alias/x',
        AliasArn: arnOf('alias/x'),
        TargetKeyId: b,
        CreationDate: 0,
        LastUpdatedDate: 0,
      },
    )
  })

  test('a name of each region', async (t) => {
    const service = await startTestService(t, { regions: ['us-east-1', 'eu-west-1'] })
    const kms = service.kms()
    const other = new KMSClient({ ...service.clientConfig(), region: 'eu-west-1' })
    const [here, there] = [await newKey(kms), await newKey(other)]
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/x', TargetKeyId: here }))
    await other.send(new CreateAliasCommand({ AliasName: 'alias/x', TargetKeyId: there }))
    assert.equal(await keyNamed(kms, 'alias/x'), here)
    assert.equal(await keyNamed(other, 'alias/x'), there)
    const wrong = new UpdateAliasCommand({ AliasName: 'alias/x', TargetKeyId: there })
    await assert.rejects(kms.send(wrong), { name: 'NotFoundException' })
    await assert.rejects(keyNamed(kms, 'arn:aws:kms:eu-west-1:111122223333:alias/x'), {
      name: 'NotFoundException',
      message: 'Invalid arn eu-west-1',
    })
    const next = await newKey(kms)
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/here', TargetKeyId: here }))
    await kms.send(new UpdateAliasCommand({ AliasName: 'alias/x', TargetKeyId: next }))
    await service.reopen()
    const [again, otherAgain] = ['us-east-1', 'eu-west-1'].map(
      (region) => new KMSClient({ ...service.clientConfig(), region }),
    )
    assert.ok(again !== undefined && otherAgain !== undefined)
    assert.equal(await keyNamed(again, 'alias/x'), next)
    assert.equal(await keyNamed(otherAgain, 'alias/x'), there)
    await assert.rejects(keyNamed(otherAgain, 'alias/here'), {
      name: 'NotFoundException',
      message: /is not found\.$/,
    })
    await again.send(new DeleteAliasCommand({ AliasName: 'alias/x' }))
    assert.equal(await keyNamed(otherAgain, 'alias/x'), there)
  })

  test('names that are none', async (t) => {
    const kms = (await startTestService(t)).kms()
    const TargetKeyId = await newKey(kms)
    const prefix = /^Alias must start with the prefix "alias\/"\. Please see https:/
    const table: [name: string, exception: string, message?: RegExp][] = [
      ['x', 'ValidationException', prefix],
      ['ALIAS/x', 'ValidationException', prefix],
      ['alias/', 'InvalidAliasNameException'],
      ['alias/aws/x', 'InvalidAliasNameException'],
      ['alias/ä', 'ValidationException', /regular expression pattern: \^\[a-zA-Z0-9:\/_-\]\+\$$/],
      [`alias/${'x'.repeat(251)}`, 'ValidationException', /length less than or equal to 256$/],
    ]
    for (const [AliasName, name, message] of table) {
      const expected = message === undefined ? { name } : { name, message }
      await assert.rejects(kms.send(new CreateAliasCommand({ AliasName, TargetKeyId })), expected, AliasName)
    }
    for (const AliasName of ['x', 'alias/ä']) {
      const expected = { name: 'ValidationException' }
      await assert.rejects(kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId })), expected)
      await assert.rejects(kms.send(new DeleteAliasCommand({ AliasName })), expected)
    }
    for (const AliasName of ['alias/none', 'alias/aws/ebs']) {
      const expected = { name: 'NotFoundException', message: `Alias ${arnOf(AliasName)} is not found.` }
      await assert.rejects(kms.send(new UpdateAliasCommand({ AliasName, TargetKeyId })), expected)
      await assert.rejects(kms.send(new DeleteAliasCommand({ AliasName })), expected)
    }
    await kms.send(new CreateAliasCommand({ AliasName: `alias/${'x'.repeat(250)}`, TargetKeyId }))
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/x', TargetKeyId }))
    await assert.rejects(kms.send(new CreateAliasCommand({ AliasName: 'alias/x', TargetKeyId })), {
      name: 'AlreadyExistsException',
      message: `An alias with the name ${arnOf('alias/x')} already exists`,
    })
    for (const target of ['alias/x', arnOf('alias/x')]) {
      const expected = { name: 'ValidationException', message: 'Aliases must refer to keys. Not aliases' }
      const create = new CreateAliasCommand({ AliasName: 'alias/y', TargetKeyId: target })
      await assert.rejects(kms.send(create), expected)
      const update = new UpdateAliasCommand({ AliasName: 'alias/x', TargetKeyId: target })
      await assert.rejects(kms.send(update), expected)
    }
    const unknown = new UpdateAliasCommand({ AliasName: 'alias/x', TargetKeyId: unknownKeyId })
    await assert.rejects(kms.send(unknown), { name: 'NotFoundException' })
  })

  test('a key has at most 50, however it gets them', async (t) => {
    const kms = (await startTestService(t)).kms()
    const [full, other] = [await newKey(kms), await newKey(kms)]
    for (let i = 0; i < 50; i++) {
      await kms.send(new CreateAliasCommand({ AliasName: `alias/${i}`, TargetKeyId: full }))
    }
    const expected = { name: 'LimitExceededException' }
    const create = new CreateAliasCommand({ AliasName: 'alias/more', TargetKeyId: full })
    await assert.rejects(kms.send(create), expected)
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/more', TargetKeyId: other }))
    const move = new UpdateAliasCommand({ AliasName: 'alias/more', TargetKeyId: full })
    await assert.rejects(kms.send(move), expected)
    await kms.send(new UpdateAliasCommand({ AliasName: 'alias/7', TargetKeyId: full }))
    await kms.send(new DeleteAliasCommand({ AliasName: 'alias/7' }))
    await kms.send(move)
    assert.equal((await namesOf(kms, full)).length, 50)
    await kms.send(new UpdateAliasCommand({ AliasName: 'alias/more', TargetKeyId: other }))
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/7', TargetKeyId: full }))
  })

  test('a policy is told the aliases that the key has now', async (t) => {
    const service = await startTestService(t)
    const root = service.kms()
    const [a, b] = [await newKey(root), await newKey(root)]
    await root.send(new CreateAliasCommand({ AliasName: 'alias/app', TargetKeyId: a }))
    const Condition = { 'ForAnyValue:StringEquals': { 'kms:ResourceAliases': 'alias/app' } }
    const kms = service.kms(await service.makeUser('bob', { Action: 'kms:DescribeKey', Condition }))
    const refused = { name: 'AccessDeniedException' }
    await keyNamed(kms, a)
    await assert.rejects(keyNamed(kms, b), refused)
    await root.send(new UpdateAliasCommand({ AliasName: 'alias/app', TargetKeyId: b }))
    await keyNamed(kms, b)
    await assert.rejects(keyNamed(kms, a), refused)
    await root.send(new DeleteAliasCommand({ AliasName: 'alias/app' }))
    await assert.rejects(keyNamed(kms, b), refused)
  })

  test('key states: a key that is pending deletion gets no alias, but loses it', async (t) => {
    const kms = (await startTestService(t)).kms()
    const [a, dying, disabled] = [await newKey(kms), await newKey(kms), await newKey(kms)]
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/old', TargetKeyId: dying }))
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/gone', TargetKeyId: dying }))
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId: dying }))
    await kms.send(new DisableKeyCommand({ KeyId: disabled }))
    const expected = {
      name: 'KMSInvalidStateException',
      message: `${arnOf(`key/${dying}`)} is pending deletion.`,
    }
    const create = new CreateAliasCommand({ AliasName: 'alias/new', TargetKeyId: dying })
    await assert.rejects(kms.send(create), expected)
    await kms.send(new UpdateAliasCommand({ AliasName: 'alias/old', TargetKeyId: a }))
    const back = new UpdateAliasCommand({ AliasName: 'alias/old', TargetKeyId: dying })
    await assert.rejects(kms.send(back), expected)
    await kms.send(new DeleteAliasCommand({ AliasName: 'alias/gone' }))
    await kms.send(new UpdateAliasCommand({ AliasName: 'alias/old', TargetKeyId: disabled }))
    await kms.send(new CreateAliasCommand({ AliasName: 'alias/new', TargetKeyId: disabled }))
    assert.deepEqual(await namesOf(kms, disabled), ['alias/new', 'alias/old'])
  })

  test('permission is asked for the alias and for each key', async (t) => {
    const service = await startTestService(t)
    const root = service.kms()
    const [a, b] = [await newKey(root), await newKey(root)]
    await root.send(new CreateAliasCommand({ AliasName: 'alias/x', TargetKeyId: a }))
    const may = async (name: string, resources: string[]): Promise<KMSClient> =>
      service.kms(await service.makeUser(name, { Action: 'kms:*Alias', Resource: resources.map(arnOf) }))
    const update = new UpdateAliasCommand({ AliasName: 'alias/x', TargetKeyId: b })
    const table: [resources: string[], refused: string | undefined][] = [
      [[`key/${a}`, `key/${b}`], 'alias/x'],
      [['alias/x', `key/${b}`], `key/${a}`],
      [['alias/x', `key/${a}`], `key/${b}`],
      [['alias/x', `key/${a}`, `key/${b}`], undefined],
    ]
    for (const [i, [resources, refused]] of table.entries()) {
      const kms = await may(`user${i}`, resources)
      if (refused === undefined) await kms.send(update)
      else {
        const message = new RegExp(`kms:UpdateAlias on resource: ${arnOf(refused)} because no identity-based`)
        await assert.rejects(kms.send(update), { name: 'AccessDeniedException', message })
      }
    }
    const keyOnly = await may('keyOnly', [`key/${b}`])
    const remove = new DeleteAliasCommand({ AliasName: 'alias/x' })
    await assert.rejects(keyOnly.send(remove), { name: 'AccessDeniedException' })
    const create = new CreateAliasCommand({ AliasName: 'alias/z', TargetKeyId: b })
    await assert.rejects(keyOnly.send(create), { name: 'AccessDeniedException' })
    const both = await may('both', ['alias/*', `key/${b}`])
    await both.send(create)
    await both.send(remove)
  })
})
