import assert from 'node:assert/strict'
import { test } from 'node:test'
import { checkedSerialNumber } from './serial-number.ts'

const account = 'arn:aws:iam::111122223333'

for (const serial of [
  `${account}:mfa/alice`,
  `${account}:mfa/phones/alice@example.com`,
  `${account}:mfa/root-account-mfa-device`,
  'arn:aws-us-gov:iam::111122223333:mfa/alice',
  'arn:aws-cn:iam::111122223333:mfa/a+b=c,d.e_f-g',
  'GAHT12345678',
]) {
  test(`takes ${serial}`, () => {
    assert.equal(checkedSerialNumber(serial), serial)
  })
}

for (const [serial, says] of [
  [`${account}:user/alice`, `most likely ${account}:mfa/alice`],
  [`${account}:user/staff/dba/alice`, `most likely ${account}:mfa/alice`],
  ['arn:aws-cn:iam::111122223333:user/alice', 'most likely arn:aws-cn:iam::111122223333:mfa/alice'],
  [`${account}:root`, `is ${account}:mfa/root-account-mfa-device`],
  ['arn:aws:sts::111122223333:assumed-role/dba/alice', 'is not the serial number'],
  [`${account}:role/dba`, 'is not the serial number'],
  [`${account}:u2f/user/alice/key`, 'is not the serial number'],
  ['arn:aws:iam::1111:mfa/alice', 'is not the serial number'],
  [`${account}:mfa/`, 'is not the serial number'],
  [`${account}:mfa/alice bob`, 'is not the serial number'],
  [`${account}:mfa/alice\n`, 'is not the serial number'],
  [`${account}:mfa/${'a'.repeat(256)}`, 'is not the serial number'],
  ['mfa/alice12345', 'is not the serial number'],
  ['administrator', 'is not the serial number'],
  ['GAHT1234', 'is not the serial number'],
  ['', 'is not the serial number'],
] as const) {
  test(`refuses ${JSON.stringify(serial).slice(0, 60)}`, () => {
    assert.throws(
      () => checkedSerialNumber(serial),
      (error: unknown) => {
        assert.ok(error instanceof Error && 'code' in error)
        assert.equal(error.code, 'SR_USAGE')
        assert.ok(error.message.includes(says), error.message)
        return true
      },
    )
  })
}
