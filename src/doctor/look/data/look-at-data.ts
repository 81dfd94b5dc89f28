import { messageOf } from '../../../errors.ts'
import { isSeen, type Looked, seen, unseen } from '../../looked.ts'
import { lastOf, type OptionFacts } from '../option-files.ts'
import type { ServerFacts } from '../server.ts'
import { type DataSurvey, surveyData, usualBudget } from './data-survey.ts'
import { dataPlaces } from './places.ts'

export interface DataToLookAt {
  readonly dataDirectory: Looked<string>
  readonly server: Looked<ServerFacts>
  readonly options: Looked<OptionFacts>
  /** Every page is read, however long it takes. */
  readonly thorough: boolean
}

export async function lookAtData({
  dataDirectory,
  server,
  options,
  thorough,
}: DataToLookAt): Promise<Looked<DataSurvey>> {
  if (!isSeen(dataDirectory)) return dataDirectory
  const valueOf = (variable: string) =>
    (isSeen(server) ? server.seen.variables.get(variable) : undefined) ??
    (isSeen(options) ? lastOf(options.seen, variable) : undefined)
  try {
    return seen(await surveyData(dataPlaces(dataDirectory.seen, valueOf), thorough ? Infinity : usualBudget))
  } catch (error) {
    return unseen(`the files in ${dataDirectory.seen} can not be read (${messageOf(error)})`)
  }
}
