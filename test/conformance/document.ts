import { join } from 'node:path'
import { kmsOperations, unsupportedKmsOperations } from '../../src/kms/operations/kms/index.ts'
import { apiPage, type ConformanceCase } from './conformance-case.ts'
import { differences, differingCases } from './differences.ts'
import { conformanceCases } from './index.ts'
import { webIdentityOperations } from './web-identity-cases.ts'

export const documentFile = join(import.meta.dirname, '../../docs/kms-conformance.md')

/** docs/kms-conformance.md: operation by operation what holds, what differs and why. */
export function conformanceDocument(): string {
  const names = kmsOperations.map(({ name }) => name).toSorted()
  return [
    '# How the KMS service conforms to AWS KMS',
    '',
    'Made by `npm run conformance-document` from the cases in `test/conformance`, which `npm test` asks a running service: each with the',
    'outcome that Amazon documents, and the page that says so. Not edited by hand.',
    '',
    `${conformanceCases.length} cases; ${differingCases.length} of them end otherwise than Amazon documents, with the reason below.`,
    '',
    ...generalSection(),
    ...names.flatMap((name) => operationSection(name, apiPage(name))),
    '# Roles by OpenID Connect',
    '',
    'The operations of IAM and STS that docs/kms-iam.md describes under "Web identities".',
    '',
    ...[...webIdentityOperations].flatMap(([name, page]) => operationSection(name, page)),
  ].join('\n')
}

function generalSection(): string[] {
  return [
    '## All operations',
    '',
    ...differences.filter(({ operation }) => operation === '*').map(({ what, why }) => `- ${what} ${why}`),
    '',
    `Not offered, answered with UnsupportedOperationException: ${unsupportedKmsOperations.join(', ')}. They are about asymmetric keys, HMAC`,
    'keys, key pairs and custom key stores.',
    '',
  ]
}

function operationSection(name: string, page: string): string[] {
  const cases = conformanceCases.filter(({ operation }) => operation === name)
  const topics = [...new Set(cases.map(({ topic }) => topic))]
  const others = differences.filter(({ operation }) => operation === name)
  const differing = differingCases.filter(({ operation }) => operation === name)
  return [
    `## [${name}](${page})`,
    '',
    ...topics.flatMap((topic) => topicLines(topic, cases)),
    ...(others.length + differing.length === 0 ? [] : ['Differs:', '']),
    ...others.map(({ what, why }) => `- ${what} ${why}`),
    ...differing.map(({ topic, variation, ours, why }) => `- ${topic}, ${variation}: \`${ours}\`. ${why}`),
    ...(others.length + differing.length === 0 ? [] : ['']),
  ]
}

/** One line for each outcome of a topic: `[key state](source)`: ok: A, B; DisabledException: C. */
function topicLines(topic: ConformanceCase['topic'], cases: readonly ConformanceCase[]): string[] {
  const ofTopic = cases.filter((one) => one.topic === topic)
  const outcomes = [...new Set(ofTopic.map(({ outcome }) => outcome))]
  const sources = [...new Set(ofTopic.map(({ source }) => source))]
  const links = sources.map((source, n) => `[${n + 1}](${source})`).join(' ')
  return [
    `- **${topic}** (${ofTopic.length}; ${links})`,
    ...outcomes.map((outcome) => {
      const variations = ofTopic.filter((one) => one.outcome === outcome).map(({ variation }) => variation)
      return `  - \`${outcome}\`: ${variations.map(escape).join('; ')}`
    }),
    '',
  ]
}

function escape(text: string): string {
  return text.replace(/[*_`<>{}]/g, '\\$&')
}
