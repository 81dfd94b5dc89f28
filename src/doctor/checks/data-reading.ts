import { basename, dirname } from 'node:path'
import { messageOf, systemCode } from '../../errors.ts'
import type { Check } from '../check.ts'
import { notChecked, type NotChecked } from '../finding.ts'
import type { Unread } from '../look/data/data-files.ts'
import { given } from '../looked.ts'
import { counted, nameList } from '../name-list.ts'

/** What of the data was not read, or not all of it. It finds nothing. */
export const dataReading: Check = {
  about: 'the files of the data',
  run: ({ data }) =>
    given(data, ({ unread, tablespaces, size, read }) => {
      const damaged = tablespaces.filter(({ unclear }) => unclear > 0)
      const keyless = tablespaces.filter(
        ({ cryptData, encrypted }) => cryptData === undefined && encrypted.size > 0,
      )
      return [
        ...unreadByReason(unread),
        ...damaged.map(({ path, unclear }) =>
          notChecked(
            `${path}: ${counted(unclear, 'page')} ${unclear === 1 ? 'is' : 'are'} damaged, or of a format that is not known`,
          ),
        ),
        ...keyless.map(({ path }) =>
          notChecked(`${path}: its first page does not say with which key its pages are encrypted`),
        ),
        ...(read < size
          ? [
              notChecked(
                sampled(
                  size,
                  read,
                  tablespaces.filter(({ pages, pagesRead }) => pagesRead < pages).map(({ path }) => path),
                ),
              ),
            ]
          : []),
      ]
    }),
}

/** One for each directory and reason: whoever may read none of a thousand tables hears it once. */
function unreadByReason(unread: readonly Unread[]): NotChecked[] {
  const reasonOf = ({ error }: Unread) => systemCode(error) ?? messageOf(error)
  const groups = Map.groupBy(unread, (one) => `${dirname(one.path)}: ${reasonOf(one)}`)
  return [...groups.values()].flatMap((group) => {
    const [first] = group
    if (first === undefined) return []
    return notChecked(
      `${dirname(first.path)}/${nameList(group.map(({ path }) => basename(path)))} can not be read (${reasonOf(first)})`,
    )
  })
}

function sampled(size: number, read: number, paths: readonly string[]): string {
  return `${gibibytes(size - read)} of ${gibibytes(size)} GiB of pages: of ${nameList(paths)} only a sample was read (--thorough reads all)`
}

function gibibytes(bytes: number): string {
  return (bytes / 1024 ** 3).toFixed(1)
}
