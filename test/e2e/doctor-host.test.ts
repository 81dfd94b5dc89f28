import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { type Diagnosis, diagnosisOf, healthyStack } from '../support/doctor-stack.ts'
import { throughEachListener } from '../support/each-listener.ts'

throughEachListener((listener) => {
  test('a healthy host has no finding, and everything was looked at', async (t) => {
    const stack = await healthyStack(t, { listener })
    const { code, diagnosis } = await diagnosisOf(stack)
    assert.deepEqual(diagnosis, { findings: [], notChecked: [...closedProcess()] })
    assert.equal(code, 0)
  })
})

/** In some containers and virtual machines not even root may look into the first process. */
function closedProcess(): Diagnosis['notChecked'] {
  try {
    readFileSync('/proc/1/environ')
    return []
  } catch {
    const name = readFileSync('/proc/1/comm', 'utf8').trim()
    return [
      {
        about: 'secrets in the environment of processes',
        reason: `process 1 (${name}) may not be looked into`,
      },
    ]
  }
}
