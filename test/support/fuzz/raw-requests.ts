import { damaged, type Random } from './random.ts'

const lines = [
  'POST / HTTP/1.1',
  'GET /?Action=GetUser&Version=2010-05-08 HTTP/1.1',
  'GET /healthz HTTP/1.1',
  'OPTIONS * HTTP/1.1',
]
const headers = [
  'Host: a',
  'Host: b',
  'Content-Length: 2',
  'Content-Length: 100000',
  'Content-Length: -1',
  'Transfer-Encoding: chunked',
  'Transfer-Encoding: gzip, chunked',
  'Connection: keep-alive',
  'Connection: close',
  'Expect: 100-continue',
  'Expect: nothing',
  'Upgrade: websocket',
  'X-Amz-Target: TrentService.Decrypt',
  'X-Amz-Target: TrentService.Encrypt',
  'X-Amz-Date: 20300101T000000Z',
  'X-Amz-Security-Token: a',
  'Content-Type: application/x-amz-json-1.1',
  'Content-Type: application/x-www-form-urlencoded; charset=utf-8',
  'Authorization: AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20300101/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=00',
  'Authorization: Basic YTpi',
  `X: ${'y'.repeat(20_000)}`,
  ' folded',
]
const bodies = [
  '',
  '{}',
  '2\r\n{}\r\n0\r\n\r\n',
  'fffffffff\r\n',
  'Action=GetUser&Version=2010-05-08',
  'a&'.repeat(20_000),
]

/** What is no good HTTP, or none to its end, or several requests in a row. */
export function rawRequest(random: Random): Buffer {
  const requests = Array.from({ length: random.pick([1, 1, 1, 3]) }, () => {
    const some = Array.from({ length: random.int(6) }, () => random.pick(headers))
    return [random.pick(lines), ...some, '', random.pick(bodies)].join('\r\n')
  })
  const bytes = Buffer.from(requests.join(''))
  const cut = random.chance(30) ? bytes.subarray(0, random.int(bytes.length)) : bytes
  return random.chance(50) ? damaged(cut, random) : cut
}
