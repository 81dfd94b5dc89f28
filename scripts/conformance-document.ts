import { writeFileSync } from 'node:fs'
import { conformanceDocument, documentFile } from '../test/conformance/document.ts'

writeFileSync(documentFile, conformanceDocument())
