import type { IncomingMessage, ServerResponse } from "node:http";

/** What travels with a request. `incoming` is absent when the app is called without a socket. */
export interface ServerEnv {
  Bindings: { readonly incoming?: IncomingMessage; readonly outgoing?: ServerResponse };
  Variables: { user: string };
}
