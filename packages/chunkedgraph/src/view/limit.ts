import { GraphError } from "../errors.ts";

/** Ends a read that gathers more than its caller can hold. @param what is counted, in the plural */
export function requireWithin(limit: number | undefined, count: number, what: string): void {
  if (limit === undefined || count <= limit) return;
  throw new GraphError("too-large", `there are more than ${limit} ${what}`, { limit, what });
}
