import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kmsState } from '../../../test/support/kms-state.ts'
import { simulationQuestion } from './question.ts'
import { simulatedPrincipal } from './simulated-principal.ts'

const deployArn = 'arn:aws:iam::111122223333:role/deploy'

test("a session's tags take the place of the role's, in whatever case, as they do in a real session", async (t) => {
  const state = await kmsState(t)
  const tags = new Map([
    ['Team', 'ops'],
    ['site', 'north'],
  ])
  const trust = { document: '{}', principalIds: new Map<string, string>() }
  const attributes = { description: undefined, maxSessionSeconds: 3600, trust }
  state.roles.create({ roleName: 'deploy', path: '/', tags }, attributes)
  const asked = simulationQuestion.parse({ actions: ['kms:Decrypt'], sessionTags: [['team', 'payroll']] })
  assert.deepEqual(
    [...simulatedPrincipal(deployArn, asked, state).tags],
    [
      ['site', 'north'],
      ['team', 'payroll'],
    ],
  )
})
