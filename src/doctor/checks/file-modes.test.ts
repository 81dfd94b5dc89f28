import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codesFound, examinedWith } from '../../../test/support/doctor.ts'
import { fileWith } from '../../../test/support/doctor-facts.ts'
import type { FileRole, Rights } from '../look/files.ts'
import { seen } from '../looked.ts'
import { fileModes } from './file-modes.ts'

const reads = { reads: true, writes: false }
const writes = { reads: true, writes: true }

const codes = (role: FileRole, parts: { server?: Rights; anybody?: Rights }) =>
  codesFound(fileModes, examinedWith({ files: seen([fileWith(role, parts)]) }))

test('secrets that everybody can read; the server reads its option file', () => {
  for (const role of ['token', 'option file', 'TLS key'] as const) {
    assert.deepEqual(codes(role, { anybody: reads }), ['SRD_SECRET_READABLE'], role)
    assert.deepEqual(codes(role, { server: reads }), [], role)
  }
  assert.deepEqual(codes('configuration', { anybody: reads }), [])
})

test('what others can change', () => {
  assert.deepEqual(codes('configuration', { anybody: writes }), ['SRD_CONFIGURATION_WRITABLE'])
  assert.deepEqual(codes('configuration', { server: writes }), ['SRD_CONFIGURATION_WRITABLE'])
  assert.deepEqual(codes('key file', { anybody: writes }), ['SRD_DATA_OPEN'])
  assert.deepEqual(codes('key file', { server: writes, anybody: reads }), [])
  assert.deepEqual(codes('data directory', { anybody: writes }), ['SRD_DATA_OPEN'])
  assert.deepEqual(codes('data directory', { anybody: reads }), [])
  assert.deepEqual(codes('data directory', { server: writes }), [])
})

test('sockets that others can connect to', () => {
  assert.deepEqual(codes('admin socket', { server: writes }), ['SRD_SOCKET_OPEN'])
  assert.deepEqual(codes('plugin socket', { server: writes }), [])
  assert.deepEqual(codes('plugin socket', { anybody: writes }), ['SRD_SOCKET_OPEN'])
})
