/**
 * Aborted when the process is asked to end (SIGINT, SIGTERM); a second request ends it at once, as the system does.
 * @param advice what a person can do then, e.g. "--resume goes on"
 */
export function stopSignal(advice: string): AbortSignal {
  const stop = new AbortController();
  const interrupt = (signal: NodeJS.Signals): void => {
    process.off("SIGINT", interrupt).off("SIGTERM", interrupt);
    stop.abort(new Error(`interrupted by ${signal}; ${advice}`));
  };
  process.on("SIGINT", interrupt).on("SIGTERM", interrupt);
  return stop.signal;
}
