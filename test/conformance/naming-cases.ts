import { apiPage, type ConformanceCase } from './conformance-case.ts'
import { type KeyOperation, keyOperations } from './key-operations.ts'
import { accountId, type CaseKey, homeRegion } from './world.ts'

const forms = {
  'key id': ({ keyId }: CaseKey) => keyId,
  'key ARN': ({ arn }: CaseKey) => arn,
  'alias name': ({ aliasName }: CaseKey) => aliasName,
  'alias ARN': ({ aliasArn }: CaseKey) => aliasArn,
  'key ARN of another region': ({ arn }: CaseKey) => arn.replace(homeRegion, 'ap-south-1'),
  'key ARN of another account': ({ arn }: CaseKey) => arn.replace(accountId, '444455556666'),
  'unknown key id': () => '00000000-1111-2222-3333-444444444444',
  'no key id at all': () => 'not-a-key-id',
}
type Form = keyof typeof forms

export const namingCases: readonly ConformanceCase[] = keyOperations.flatMap((of) =>
  Object.entries(forms)
    .filter(([form]) => of.forms !== 'arn' || form.startsWith('key ARN'))
    .map(([form, name]) => ({
      operation: of.operation,
      topic: 'naming',
      variation: form,
      outcome: expected(of, form),
      source: apiPage(of.operation),
      async ask(world) {
        const key = await world.key(of.situation ?? 'Enabled')
        const members = { ...(await of.others(key, world)), [of.member]: name(key) }
        return (await world.ask(of.operation, members)).outcome
      },
    })),
)

function expected({ operation, forms: accepted }: KeyOperation, form: string): string {
  if (form === ('key id' satisfies Form) || form === ('key ARN' satisfies Form)) return 'ok'
  const isAlias = form.startsWith('alias')
  if (isAlias && accepted === 'any') return 'ok'
  // "Aliases must refer to keys. Not aliases"
  if (isAlias && (operation === 'CreateAlias' || operation === 'UpdateAlias')) return 'ValidationException'
  return 'NotFoundException'
}
