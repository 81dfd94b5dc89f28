import { messageOf } from '../../errors.ts'
import type { Check } from '../check.ts'
import { notChecked } from '../finding.ts'
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
        ...unread.map(({ path, error }) => notChecked(`${path} (${messageOf(error)})`)),
        ...damaged.map(({ path, unclear }) =>
          notChecked(`${path}: ${counted(unclear, 'page')} that is no page of this format, or damaged`),
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

function sampled(size: number, read: number, paths: readonly string[]): string {
  return `${gibibytes(size - read)} of ${gibibytes(size)} of pages: of ${nameList(paths)} only a sample was read (--thorough reads all)`
}

function gibibytes(bytes: number): string {
  return `${(bytes / 1024 ** 3).toFixed(1)} GiB`
}
