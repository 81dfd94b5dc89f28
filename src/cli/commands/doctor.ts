import { agentExamination } from '../../agent/examination.ts'
import { type Severity, severities } from '../../doctor/codes.ts'
import { type Diagnosis, diagnose, type GradedFinding } from '../../doctor/diagnosis.ts'
import { examineHost } from '../../doctor/examine-host.ts'
import { askAgent } from '../admin-client.ts'
import { parseArguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { print } from '../terminal.ts'

export const doctor: Command = {
  help: `
  strongroom doctor

Looks at this database host, its agent and the KMS, and says what is wrong, how bad it is, and what to do. It changes
nothing. Run it as root: what it may not look at it lists as not checked. Exits 1 when it finds something, else 0.
docs/doctor.md has a section for each finding.

  --config FILE       the agent's configuration (default: /etc/strongroom/agent.conf)
  --keyring NAME      needed where the agent has several
  --option-file FILE  MariaDB's option file (default: the files that MariaDB reads by itself)
  --socket FILE       of the server (default: what the option files say)
  --user NAME         who asks the server over that socket (default: root)
  --ask-primary       on a replica: ask its primary whether it is encrypted, with the user and password of the
                      replication, which are in the data directory
  --thorough          read every page of the data: of more than 4 GiB only a sample is read otherwise
  --json              for programs: {"findings": [{"severity", "code", "where", "what", "remedy"}],
                      "notChecked": [{"about", "reason"}]}
`,
  async run(args) {
    const { values } = parseArguments({
      args: [...args],
      options: {
        config: { type: 'string', default: '/etc/strongroom/agent.conf' },
        keyring: { type: 'string' },
        'option-file': { type: 'string' },
        socket: { type: 'string' },
        user: { type: 'string', default: 'root' },
        'ask-primary': { type: 'boolean', default: false },
        thorough: { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
      },
    })
    const examined = await examineHost({
      configFile: values.config,
      keyringName: values.keyring,
      optionFile: values['option-file'],
      socket: values.socket,
      user: values.user,
      asksPrimaries: values['ask-primary'],
      thorough: values.thorough,
      askAgent: (socket, keyring) =>
        askAgent(socket, { method: 'POST', path: `/keyrings/${keyring}/examine`, answer: agentExamination }),
    })
    const diagnosis = diagnose(examined)
    if (values.json) print(JSON.stringify(diagnosis))
    else report(diagnosis).forEach(print)
    return diagnosis.findings.length === 0 ? 0 : 1
  },
}

function report({ findings, notChecked }: Diagnosis): string[] {
  return [
    ...severities.flatMap((severity) =>
      group(
        severity,
        findings.filter((finding) => finding.severity === severity),
      ),
    ),
    ...unseen(notChecked),
    summary(findings.length, notChecked.length),
  ]
}

function group(severity: Severity, findings: readonly GradedFinding[]): string[] {
  if (findings.length === 0) return []
  return [
    `${severity}:`,
    ...findings.flatMap(({ code, where, what, remedy }) => [
      `  ${code}  ${where}`,
      `    ${what}`,
      `    what to do: ${remedy}`,
    ]),
    '',
  ]
}

/** Much may have one reason. */
function unseen(notChecked: Diagnosis['notChecked']): string[] {
  if (notChecked.length === 0) return []
  const byReason = Map.groupBy(notChecked, ({ reason }) => reason)
  return [
    'not checked:',
    ...[...byReason].flatMap(([reason, all]) => [
      `  ${[...new Set(all.map(({ about }) => about))].join('; ')}`,
      `    ${reason}`,
    ]),
    '',
  ]
}

function summary(found: number, missed: number): string {
  const findings = found === 0 ? 'no finding' : found === 1 ? '1 finding' : `${found} findings`
  return missed === 0 ? findings : `${findings}; ${missed} not checked`
}
