import assert from 'node:assert/strict'
import { test } from 'node:test'
import { codesFound, examinedWith, serverWith } from '../../../test/support/doctor.ts'
import { memoryWith, processWith } from '../../../test/support/doctor-facts.ts'
import { seen } from '../looked.ts'
import { coreDumps, freedMemory, lockedMemory, swap } from './memory.ts'

test('swap, as far as memory with keys can get there', () => {
  const codes = (openSwap: string[], agentIsKept: boolean, locked: number) =>
    codesFound(
      swap,
      examinedWith({
        host: seen({ openSwap }),
        agentMemory: memoryWith({ isKeptFromSwap: agentIsKept }),
        serverMemory: memoryWith({ locked }),
      }),
    )
  assert.deepEqual(codes([], false, 0), [])
  assert.deepEqual(codes(['/dev/sda2'], true, 0), ['SRD_SWAP'])
  assert.deepEqual(codes(['/dev/sda2'], false, 4096), ['SRD_SWAP'])
  assert.deepEqual(codes(['/dev/sda2'], true, 4096), [])
})

test('core dumps of either', () => {
  const codes = (agent: string, server: string) =>
    codesFound(
      coreDumps,
      examinedWith({
        agentMemory: memoryWith({ coreLimit: agent }),
        serverMemory: memoryWith({ coreLimit: server }),
      }),
    )
  assert.deepEqual(codes('0', '0'), [])
  assert.deepEqual(codes('0', 'unlimited'), ['SRD_CORE_DUMPS'])
  assert.deepEqual(codes('1024', 'unlimited'), ['SRD_CORE_DUMPS', 'SRD_CORE_DUMPS'])
})

test('memory that is to be locked, and is not', () => {
  const codes = (wanted: string, locked: number) =>
    codesFound(
      lockedMemory,
      examinedWith({
        server: serverWith({ locked_in_memory: wanted }),
        serverMemory: memoryWith({ locked }),
      }),
    )
  assert.deepEqual(codes('ON', 0), ['SRD_MEMLOCK'])
  assert.deepEqual(codes('ON', 4096), [])
  assert.deepEqual(codes('OFF', 0), [])
})

test('freed memory, with the stock plugin', () => {
  const codes = (name: string, wipesFreedMemory: boolean) =>
    codesFound(
      freedMemory,
      examinedWith({
        server: serverWith(
          {},
          { keyPlugins: [{ name, isActive: true, author: 'x', loadOption: 'FORCE_PLUS_PERMANENT' }] },
        ),
        processes: seen({ looked: [processWith({ pid: 4711, wipesFreedMemory })], closed: [] }),
      }),
    )
  assert.deepEqual(codes('hashicorp_key_management', false), ['SRD_FREED_MEMORY'])
  assert.deepEqual(codes('hashicorp_key_management', true), [])
  assert.deepEqual(codes('aws_key_management', false), [])
})
