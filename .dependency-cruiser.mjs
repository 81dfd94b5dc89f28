// The import rules of docs/architecture.md: who may import whom.
const only = (folder, allowed, files = []) => ({
  name: `${folder}-imports`,
  severity: 'error',
  comment: `src/${folder} may import of ours: ${['errors', ...files, ...allowed].join(', ')}`,
  from: { path: `^src/${folder}/`, pathNot: '\\.test\\.ts$' },
  to: {
    path: '^(src|test|bench|scripts)/',
    pathNot: [
      `^src/${folder}/`,
      ...['errors', ...files].map((name) => `^src/${name}\\.ts$`),
      ...allowed.map((name) => `^src/${name}/`),
    ],
  },
})

export default {
  forbidden: [
    only('keyring', [], ['confidential-http', 'sdk-answer']),
    only('kms', [], ['confidential-http', 'loopback', 'sdk-answer']),
    only('agent', ['keyring'], ['confidential-http', 'ini-file', 'loopback']),
    only('innodb', ['keyring']),
    only('mariadb', []),
    only('aws', [], ['confidential-http', 'sdk-answer']),
    only('provisioning', ['aws'], ['durable-file']),
    only('master-key-window', ['aws'], ['sdk-answer']),
    only('mfa-session', ['aws']),
    only('deployment', ['agent', 'innodb', 'mariadb'], ['durable-file', 'ini-file']),
    only('doctor', ['agent', 'aws', 'innodb', 'keyring', 'mariadb'], ['ini-file', 'loopback', 'plain-text']),
    only(
      'cli',
      [
        'agent',
        'aws',
        'deployment',
        'doctor',
        'innodb',
        'keyring',
        'kms',
        'mariadb',
        'master-key-window',
        'mfa-session',
        'provisioning',
      ],
      ['confidential-http', 'ini-file', 'plain-text'],
    ),
    {
      name: 'small-files-stand-alone',
      severity: 'error',
      from: { path: '^src/(errors|loopback|plain-text|sdk-answer)\\.ts$' },
      to: { path: '^src/' },
    },
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'declared-dependencies-only',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test\\.ts$' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown', 'unknown'] },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'a source file that nothing imports is dead',
      from: { orphan: true, path: '^src/', pathNot: ['\\.test\\.ts$', '^src/cli/main\\.ts$'] },
      to: {},
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
}
