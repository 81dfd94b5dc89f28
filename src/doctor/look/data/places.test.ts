import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dataPlaces } from './places.ts'

test('everything lies in the data directory where nothing else is said', () => {
  assert.deepEqual(
    dataPlaces('/var/lib/mysql', () => undefined),
    {
      dataDirectory: '/var/lib/mysql',
      systemDirectory: '/var/lib/mysql',
      systemFiles: undefined,
      undoDirectory: '/var/lib/mysql',
      redoDirectory: '/var/lib/mysql',
      logDirectories: ['/var/lib/mysql'],
    },
  )
})

test('what a running server says', () => {
  const variables = new Map([
    ['innodb_data_home_dir', ''],
    ['innodb_data_file_path', 'ibdata1:12M;/fast/ibdata2:50M:autoextend:max:1G'],
    ['innodb_undo_directory', './'],
    ['innodb_log_group_home_dir', '/fast/redo'],
    ['log_bin_basename', '/logs/binlog'],
    ['relay_log_basename', '/var/lib/mysql/db1-relay-bin'],
    ['log_bin', 'ON'],
  ])
  assert.deepEqual(
    dataPlaces('/var/lib/mysql', (name) => variables.get(name)),
    {
      dataDirectory: '/var/lib/mysql',
      systemDirectory: '/var/lib/mysql',
      systemFiles: ['/var/lib/mysql/ibdata1', '/fast/ibdata2'],
      undoDirectory: '/var/lib/mysql',
      redoDirectory: '/fast/redo',
      logDirectories: ['/var/lib/mysql', '/logs'],
    },
  )
})
