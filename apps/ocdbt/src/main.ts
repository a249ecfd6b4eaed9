import { once } from "node:events";
import { addAbortSignal } from "node:stream";
import { cli } from "./cli.ts";

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => stop.abort(new Error(`interrupted by ${signal}`)));
}
// `pcg-ocdbt list … | head` ends the reader first; that is no failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
  process.stderr.write(`error: cannot write the result: ${error.message}\n`);
  process.exit(1);
});
const code = await cli(process.argv.slice(2), {
  out: async (data) => {
    if (!process.stdout.write(data)) await once(process.stdout, "drain", { signal: stop.signal });
  },
  err: (text) => process.stderr.write(text),
  // Whoever types into it, or a pipe that stays open, must not keep an interrupted command alive.
  input: () => addAbortSignal(stop.signal, process.stdin),
  stop: stop.signal,
});
// A reader that takes no more of stdout would keep an interrupted command alive.
if (stop.signal.aborted) process.exit(code);
process.exitCode = code;
