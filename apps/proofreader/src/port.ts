import { createServer } from "node:net";

/** Looks before a long ingest whether the port can be listened on at its end. @throws Error naming the port */
export async function requireFreePort({ port, host }: { readonly port: number; readonly host: string }): Promise<void> {
  if (port === 0) return;
  const probe = createServer();
  await new Promise<void>((resolve, reject) => {
    probe.once("error", (cause: NodeJS.ErrnoException) => {
      const reason =
        cause.code === "EADDRINUSE" ? "is taken: stop what listens there" : `cannot be used (${cause.code})`;
      reject(new Error(`port ${port} of ${host} ${reason}, or choose another with --port`, { cause }));
    });
    probe.listen(port, host, resolve);
  });
  await new Promise((resolve) => probe.close(resolve));
}
