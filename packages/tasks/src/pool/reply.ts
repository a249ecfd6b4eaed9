/**
 * What a worker thread sends home, and how errors become errors again.
 * @module
 */

/** An error as plain data. */
export interface ErrorReport {
  /** Present when something that is no `Error` was thrown. */
  readonly thrown?: unknown;
  readonly name?: string;
  readonly message?: string;
  readonly stack?: string;
  readonly fields?: Readonly<Record<string, unknown>>;
  readonly cause?: ErrorReport;
  readonly errors?: readonly ErrorReport[];
}

export interface Reply {
  readonly value?: unknown;
  /** Present instead when there is no such handler: the names there are. */
  readonly unknown?: readonly string[];
  /** Present instead when the handler threw. */
  readonly error?: ErrorReport;
}

/** An `Error` with the name, message, stack, code and other fields, and causes of the one in the worker. */
export function reviveError(report: ErrorReport): unknown {
  if ("thrown" in report) return report.thrown;
  const error =
    report.errors === undefined
      ? new Error(report.message)
      : new AggregateError(report.errors.map(reviveError), report.message);
  const hidden = { configurable: true, writable: true, enumerable: false };
  Object.defineProperty(error, "name", { ...hidden, value: report.name });
  Object.defineProperty(error, "stack", { ...hidden, value: report.stack });
  if (report.cause !== undefined)
    Object.defineProperty(error, "cause", { ...hidden, value: reviveError(report.cause) });
  for (const [key, value] of Object.entries(report.fields ?? {})) {
    if (key !== "name" && key !== "stack" && key !== "message" && key !== "cause") {
      Object.defineProperty(error, key, { value, configurable: true, writable: true, enumerable: true });
    }
  }
  return error;
}
