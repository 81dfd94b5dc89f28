import { z } from 'zod'

const namePattern = /^[\w+=,.@-]+$/

export const newUserName = z.string().min(1).max(64).regex(namePattern)
export const userName = z.string().min(1).max(128).regex(namePattern)
export const accessKeyId = z.string().min(16).max(128).regex(/^\w+$/)
export const path = z
  .string()
  .min(1)
  .max(512)
  .regex(/^(\/|\/[\u0021-\u007E]+\/)$/)
