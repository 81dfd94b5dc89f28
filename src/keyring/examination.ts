import { z } from 'zod'

/** One of our errors, as it travels. Its text holds no secret. */
export const problem = z.object({ code: z.string(), message: z.string() })

export type Problem = z.infer<typeof problem>

const keyInStore = z.object({
  keyId: z.number(),
  version: z.number(),
  file: z.string(),
  /** ARN of the master key that wraps it, as far as it is known. */
  masterKey: z.string().optional(),
  /** Why it can't be had from its file; absent: the KMS unwrapped it. */
  problem: problem.optional(),
  /** The manifest doesn't list it. */
  isStray: z.boolean(),
  /** How the agent's memory stands to it; absent where no agent was asked. */
  inMemory: z.enum(['same', 'other', 'none']).optional(),
})

const describedMasterKey = z.object({
  /** As it was asked for. */
  name: z.string(),
  arn: z.string().optional(),
  /** KMS's `KeyState`. */
  state: z.string().optional(),
  /** ISO 8601. */
  deletionDate: z.string().optional(),
  /** When imported material expires, ISO 8601. */
  validTo: z.string().optional(),
  problem: problem.optional(),
})

export type DescribedMasterKey = z.infer<typeof describedMasterKey>

const masterKeyExamination = z.object({
  /** As configured; absent: nothing new can be wrapped. */
  name: z.string().optional(),
  endpoint: z.string(),
  region: z.string().optional(),
  /** The configured one first, then each other that wraps a stored key. */
  described: z.array(describedMasterKey),
  /** What the agent has to do, by the name of the action; `null`: it may. What could not be tried is not there. */
  needed: z.record(z.string(), problem.nullable()),
  /** What it may do and never needs to. */
  needless: z.array(z.string()),
  /** By how many milliseconds our clock is ahead of the KMS's; absent: the KMS did not answer. */
  clockAhead: z.number().optional(),
})

/** What is to be said of a master key, and of what the caller may do with it. Nothing was made, nothing was changed. */
export type MasterKeyExamination = z.infer<typeof masterKeyExamination>

export const examination = z.object({
  /** Absent: there is no manifest. */
  keyringId: z.string().optional(),
  /** Why the store can't be read, or what is wrong with it as a whole. */
  problem: problem.optional(),
  keys: z.array(keyInStore),
  masterKey: masterKeyExamination,
})

/** A keyring as it lies in its store, with every file tried, and its master key. */
export type Examination = z.infer<typeof examination>
