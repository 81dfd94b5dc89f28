/** What goes back over HTTP. */
export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
}
