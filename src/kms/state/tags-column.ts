/** What a `tags` column holds. */
export { readTexts as readTags, writeTexts as writeTags } from './keys/texts-column.ts'
