import type { GraphErrorCode } from "./contract.ts";

/** What went wrong, for machines: the values the message names. Ids are decimal strings, so the record is plain JSON. */
export type GraphErrorFields = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** A refused request or a graph that cannot be used; `code` says which, `fields` hold the values named in the message. */
export class GraphError extends Error {
  override readonly name = "GraphError";
  readonly code: GraphErrorCode;
  readonly fields: GraphErrorFields;

  constructor(code: GraphErrorCode, message: string, fields: GraphErrorFields = {}, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.fields = fields;
  }
}

/** Whether the error is a {@link GraphError} (with one of the codes, when given); also across duplicate installs. */
export function isGraphError(error: unknown, ...codes: readonly GraphErrorCode[]): error is GraphError {
  if (!(error instanceof Error) || error.name !== "GraphError") return false;
  const code = (error as Partial<GraphError>).code;
  return code !== undefined && (codes.length === 0 || codes.includes(code));
}
