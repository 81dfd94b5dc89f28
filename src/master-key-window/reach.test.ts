import { DescribeKeyCommand } from '@aws-sdk/client-kms'
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { newKey } from '../../test/support/kms-keys.ts'
import { startTestService } from '../../test/support/kms-service.ts'
import { scratchDirectory } from '../../test/support/scratch.ts'
import { Reach } from './reach.ts'

const another = {
  accessKeyId: 'AKIAIOSFODNN7EXAMPLE',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY',
}

test('credentials that are renewed in the middle of trouble are found, however often it has looked before', async (t) => {
  const service = await startTestService(t)
  const kms = service.kms()
  const file = join(scratchDirectory(t), 'credentials')
  const write = ({ accessKeyId, secretAccessKey }: typeof another) => {
    const lines = [
      '[window]',
      `aws_access_key_id = ${accessKeyId}`,
      `aws_secret_access_key = ${secretAccessKey}`,
    ]
    writeFileSync(file, `${lines.join('\n')}\n`)
  }
  const { AWS_SHARED_CREDENTIALS_FILE: former = '' } = process.env
  process.env['AWS_SHARED_CREDENTIALS_FILE'] = file
  const place = { region: service.current.region, endpointUrl: service.current.url, profile: 'window' }
  const reach = new Reach(place, another)
  t.after(() => {
    process.env['AWS_SHARED_CREDENTIALS_FILE'] = former
    reach.close()
    kms.destroy()
  })
  const { arn: KeyId } = await newKey(kms)
  const look = () => reach.do('look', (access) => access.kms.send(new DescribeKeyCommand({ KeyId })))

  write(another)
  for (let tries = 0; tries < 4; tries++) await assert.rejects(look(), { code: 'SR_AWS_CREDENTIALS' })
  write(service.clientConfig().credentials)
  await look().catch(look)
})
