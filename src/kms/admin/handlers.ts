/**
 * What the service does for whoever may use its admin socket, by path (`/backup`; the method is always POST). A handler gets the JSON
 * of the request, parsed and not yet checked, and returns what becomes the JSON of the answer. A StrongroomError that
 * it throws is thrown by `askRunningService` in the asking process, with its code.
 */
export type AdminHandlers = Readonly<Record<AdminPath, AdminHandler>>
export type AdminPath = `/${string}`
export type AdminHandler = (body: unknown) => unknown

/** The form in which an error goes through the socket. */
export interface AdminFailure {
  readonly code: string
  readonly message: string
}
