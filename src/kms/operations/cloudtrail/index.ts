import type { Operation } from '../operation.ts'
import { lookupEvents } from './lookup-events.ts'

/** What CloudTrail offers for reading the events of an account. */
export const cloudtrailOperations: readonly Operation<object | undefined>[] = [lookupEvents]
