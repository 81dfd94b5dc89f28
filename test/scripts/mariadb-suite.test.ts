import assert from 'node:assert/strict'
import { test } from 'node:test'
import { differences, type Expectation } from '../mariadb-suite/expectations.ts'
import { readResults, serverVersion } from '../mariadb-suite/mtr-output.ts'
import { withAgentsPlugin } from '../mariadb-suite/rewriting.ts'

const output = `Checking supported features...
MariaDB Version 10.11.19-MariaDB-0+deb12u1
Collecting tests...

TEST                                  WORKER RESULT   TIME (ms) or COMMENT
--------------------------------------------------------------------------

worker[01] Using MTR_BUILD_THREAD 431, with reserved ports 22930..22959
s.debug                                  [ skipped ]  Requires debug build
s.off                                    [ disabled ]  MDEV-1
s.good-1 'crc32,none'                    w2 [ pass ]    935
s.wrong                                  w1 [ fail ]
        Test ended at 2026-11-25 09:57:58
-expected
+found
s.warned 'a'                             w1 [ fail ]  Found warnings/errors in server log file!
[ERROR] of the server
s.alone                                  [ pass ]     13
--------------------------------------------------------------------------
The servers were restarted 6 times
`

test('what mtr printed is read: result, reason, and what belongs to a failure', () => {
  const results = readResults(output)
  assert.deepEqual(
    results.map(({ name, outcome, reason }) => [name, outcome, reason]),
    [
      ['s.debug', 'skip', 'Requires debug build'],
      ['s.off', 'skip', 'MDEV-1'],
      [`s.good-1 'crc32,none'`, 'pass', ''],
      ['s.wrong', 'fail', ''],
      [`s.warned 'a'`, 'fail', ''],
      ['s.alone', 'pass', ''],
    ],
  )
  assert.match(results[3]?.details ?? '', /-expected\n\+found$/)
  assert.match(results[4]?.details ?? '', /Found warnings[^]*\[ERROR\] of the server$/)
  assert.equal(serverVersion(output), '10.11.19-MariaDB-0+deb12u1')
})

test('each way in which a run can differ from what is expected is told', () => {
  const expected = (
    [
      ['pass', `s.good-1 'crc32,none'`, ''],
      ['pass', 's.wrong', ''],
      ['pass', 's.gone', ''],
      ['pass', 's.off', ''],
      ['skip', 's.debug', 'another reason'],
      ['skip', 's.alone', 'why'],
      ['left', 's.left', 'why'],
    ] as const
  ).map(([outcome, name, reason]): Expectation => ({ outcome, name, reason, listener: undefined }))
  assert.deepEqual(differences(expected, readResults(output)), [
    's.wrong: fail, expected: pass',
    's.gone was not run',
    's.off: skip (MDEV-1), expected: pass',
    's.debug: skip (Requires debug build), expected: skip (another reason)',
    's.alone: pass, expected: skip (why)',
    `s.warned 'a': fail, and nothing is expected of it`,
  ])
  assert.equal(differences(expected, []).length, 6)
})

test('a test that takes its keys from another plugin takes them from the agent', () => {
  const places = { listener: 'plugin' as const, placeOf: (keyring: string) => `/run/${keyring}/agent.sock` }
  for (const [text, wanted] of [
    [
      '[cbc]\nplugin-load-add=$FILE_KEY_MANAGEMENT_SO\nloose-file-key-management-filename=$MYSQL_TEST_DIR/std_data/keys.txt\n[ctr]\nloose-x\n',
      '[agent]\nplugin-load-add=$AWS_KEY_MANAGEMENT_SO\nloose-aws-key-management-socket=/run/keys/agent.sock\n',
    ],
    ['[crc32]\nx\n[none]\ny\n', '[crc32]\nx\n[none]\ny\n'],
    [
      '--plugin-load-add=$EXAMPLE_KEY_MANAGEMENT_SO\n--loose-example-key-management\n',
      '--plugin-load-add=$AWS_KEY_MANAGEMENT_SO\n--aws-key-management-socket=/run/invented/agent.sock\n--loose-aws-key-management\n',
    ],
    [
      'restart:--plugin-load-add=file_key_management --file-key-management-filename=$MYSQLTEST_VARDIR/keys1.txt --x',
      'restart:--plugin-load-add=aws_key_management --aws-key-management-socket=/run/written-keys1/agent.sock --x',
    ],
    [
      'loose-file-key-management-filename= @ENV.MYSQLTEST_VARDIR/std_data/keys.txt\nskip-file-key-management',
      'loose-aws-key-management-socket=/run/keys/agent.sock\nskip-aws-key-management',
    ],
    [
      '--source include/have_file_key_management_plugin.inc',
      '--source include/have_file_key_management_plugin.inc',
    ],
    ['--loose-file-key-management-filekey=FILE:$MTR_SUITE_DIR/filekeys-data.key\n--y', '\n--y'],
  ] as const) {
    assert.equal(withAgentsPlugin(text, places), wanted)
  }
})
