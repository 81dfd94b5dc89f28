import type { Present } from './present.ts'
import { withOptions, withoutSection } from './ini-edit.ts'
import { keepsListener, type Settings } from './settings.ts'
import { ownMark } from './places.ts'

const heading = `# Written by \`${ownMark}\`, which changes no other line than it must: what you add stays.\n`

/** agent.conf as it must be: what is there, with what is decided. */
export function agentConfigText(present: Present, settings: Settings): string {
  const { keyring, listener, storeDirectory, dataDirectory, keyringOptions, credentials } = settings
  const edits: ((text: string) => string)[] = [
    (text) => withOptions(text, 'agent', { 'admin-socket': settings.adminSocket }),
    (text) =>
      listener === 'vault'
        ? withOptions(withoutUnused(text, 'plugin-listener'), 'vault-listener', { listen: settings.listen })
        : withOptions(withoutUnused(text, 'vault-listener'), 'plugin-listener', {
            directory: settings.socketDirectory,
          }),
    (text) =>
      withOptions(text, `keyring ${keyring}`, {
        store: `directory:${storeDirectory}`,
        ...(dataDirectory !== storeDirectory && { 'data-directory': dataDirectory }),
        ...keyringOptions,
        ...(credentials === 'with-mfa'
          ? { credentials, 'credentials-file': undefined, profile: undefined }
          : { credentials: keyringCredentials() }),
        ...(needsToken() && { 'token-file': settings.tokenFile }),
      }),
  ]
  return edits.reduce((text, edit) => edit(text), present.agentConfig ?? heading)

  function withoutUnused(text: string, section: string): string {
    return keepsListener(present, keyring, section) ? text : withoutSection(text, section)
  }

  /** Every keyring has a token where there is a Vault listener. */
  function needsToken(): boolean {
    return settings.vaultPort !== undefined
  }

  function keyringCredentials(): string | undefined {
    const said = present.sections.get(`keyring ${keyring}`)?.['credentials']
    return said === 'standard' ? said : undefined
  }
}
