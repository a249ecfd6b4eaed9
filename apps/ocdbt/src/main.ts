import { once } from "node:events";
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
process.exitCode = await cli(process.argv.slice(2), {
  out: async (data) => {
    if (!process.stdout.write(data)) await once(process.stdout, "drain");
  },
  err: (text) => process.stderr.write(text),
  input: () => process.stdin,
  stop: stop.signal,
});
