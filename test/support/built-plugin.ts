import { buildPlugin } from '../../scripts/build-plugin.ts'

/** The path of aws_key_management.so as its sources are now. Test files that run side by side may all ask for it. */
export function builtPlugin(): string {
  return buildPlugin()
}
