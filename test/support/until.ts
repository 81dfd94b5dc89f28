import { setTimeout } from 'node:timers/promises'

/** Waits for a condition; fails, with its description, when it has not come true within `limit` milliseconds. */
export async function until(
  description: string,
  condition: () => boolean | Promise<boolean>,
  limit = 30_000,
): Promise<void> {
  const end = Date.now() + limit
  while (!(await condition())) {
    if (Date.now() > end) throw new Error(`waited ${limit} ms in vain until ${description}`)
    await setTimeout(20)
  }
}
