/**
 * `node test/support/skewed-client.ts MINUTES URL`: calls KMS and STS by the AWS SDK, in a process whose clock is that
 * many minutes off. Takes its credentials from the environment. Writes, as JSON, how many attempts each call took.
 */
const [minutes = 0, endpoint = ''] = process.argv.slice(2).map((text, at) => (at === 0 ? Number(text) : text))
const RightDate = Date

class SkewedDate extends RightDate {
  constructor(...args: ConstructorParameters<DateConstructor> | []) {
    if (args.length === 0) super(SkewedDate.now())
    else super(...args)
  }

  static override now(): number {
    return RightDate.now() + Number(minutes) * 60_000
  }
}
Reflect.set(globalThis, 'Date', SkewedDate)

// Loaded now, so that it finds no other clock.
const { CreateKeyCommand, KMSClient, ListKeysCommand } = await import('@aws-sdk/client-kms')
const { GetCallerIdentityCommand, STSClient } = await import('@aws-sdk/client-sts')
const config = { endpoint: String(endpoint), region: 'us-east-1' }
const kms = new KMSClient({ ...config, maxAttempts: 2 })
const once = new KMSClient({ ...config, maxAttempts: 1 })
const refused = await once.send(new ListKeysCommand({})).then(
  () => 'no error',
  (error: unknown) => (error instanceof Error ? `${error.name}: ${error.message}` : ''),
)
const attempts = [
  (await kms.send(new CreateKeyCommand({}))).$metadata.attempts,
  (await kms.send(new ListKeysCommand({}))).$metadata.attempts,
  (await new STSClient({ ...config, maxAttempts: 2 }).send(new GetCallerIdentityCommand({}))).$metadata
    .attempts,
]
process.stdout.write(JSON.stringify({ attempts, refused }))
