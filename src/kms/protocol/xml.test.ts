import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { SaxesParser } from 'saxes'
import { AwsException } from './exceptions.ts'
import { queryAnswer, queryError } from './query.ts'
import { element } from './xml.ts'

/** All the text in a document, by a parser that refuses what is not well formed. */
function textOf(xml: string): string {
  let text = ''
  const parser = new SaxesParser()
  parser.on('text', (more) => {
    text += more
  })
  parser.on('error', (error) => {
    throw error
  })
  parser.write(xml).close()
  return text
}

test('writes texts, numbers, times, lists in lists and structures', () => {
  const value = {
    Text: 'a<b>&"c"',
    Number: 0,
    Yes: true,
    At: new Date('2030-01-02T03:04:05.678Z'),
    Nothing: undefined,
    None: [],
    List: [{ Names: ['a', 'b'] }, { Names: [] }],
  }
  assert.equal(
    element('R', value),
    '<R><Text>a&#60;b&#62;&#38;&#34;c&#34;</Text><Number>0</Number><Yes>true</Yes><At>2030-01-02T03:04:05Z</At>' +
      '<None></None><List><member><Names><member>a</member><member>b</member></Names></member>' +
      '<member><Names></Names></member></List></R>',
  )
})

test('writes the answers and errors of IAM and STS', () => {
  const request = {
    operation: 'GetUser',
    namespace: 'https://iam.amazonaws.com/doc/2010-05-08/',
    requestId: 'r',
  }
  assert.deepEqual(queryAnswer(request, { A: 'b' }), {
    status: 200,
    contentType: 'text/xml',
    body:
      '<GetUserResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetUserResult><A>b</A></GetUserResult>' +
      '<ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></GetUserResponse>',
  })
  assert.match(queryAnswer(request, undefined).body, /2010-05-08\/"><ResponseMetadata>/)
  assert.deepEqual(queryError(new AwsException('ExpiredTokenException', 'x'), request), {
    status: 403,
    contentType: 'text/xml',
    body:
      '<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type>' +
      '<Code>ExpiredToken</Code><Message>x</Message></Error><RequestId>r</RequestId></ErrorResponse>',
  })
  assert.match(
    queryError(new AwsException('KMSInternalException', ''), request).body,
    /<Type>Receiver<\/Type>/,
  )
})

test('stays well formed, whatever a text holds, and keeps what XML can hold', () => {
  assert.equal(textOf(element('a', '\t\n\r\r\n\u0085\u2028 é😀')), '\t\n\r\r\n\u0085\u2028 é😀')
  assert.equal(textOf(element('a', 'a\0b\u001bc\ufffed\ud800e\uffff')), 'a\ufffdb\ufffdc\ufffdd\ufffde\ufffd')
  fc.assert(
    fc.property(
      fc.string({ unit: fc.integer({ min: 0, max: 0xffff }).map((n) => String.fromCharCode(n)) }),
      (text) => {
        assert.equal(textOf(element('a', text)).length, text.toWellFormed().length)
      },
    ),
    { numRuns: 2000 },
  )
})
