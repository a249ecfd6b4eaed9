/**
 * The command serve: the gateway.
 * @module
 */
import { serve } from "@hono/node-server";
import { ocdbtGateway } from "@pcg/ocdbt/gateway";
import type { Command } from "commander";
import { databaseOptions, withDatabase } from "../context.ts";
import type { OpenFlags } from "../open.ts";
import { parsePort } from "../port.ts";
import type { Surroundings } from "../surroundings.ts";

interface Flags extends OpenFlags {
  readonly port: number;
  readonly host: string;
  readonly allowOrigin: string;
}

export function addServeCommand(parent: Command, surroundings: Surroundings): void {
  const { err, out, stop } = surroundings;
  databaseOptions(parent.command("serve <url>"))
    .description("serve every version and tag, of a fork too, to stock readers over HTTP, read-only, until interrupted")
    .option("--port <n>", "0: any free one", parsePort, 8700)
    .option("--host <name>", "address to listen on; anybody who reaches it can read", "127.0.0.1")
    .option("--allow-origin <origin>", "web pages that may read", "*")
    .addHelpText(
      "after",
      `
  http://127.0.0.1:8700/db/head/ocdbt/|ocdbt:     TensorStore and Neuroglancer open this; v12, a time or a tag for head
  http://127.0.0.1:8700/db/head/files/<key>      values as plain files, folders as JSON lists

A fork is served by --fork <id>, one by each server.`,
    )
    .action((url: string, flags: Flags) =>
      withDatabase(url, { ...flags, direct: true }, surroundings, async ({ db }) => {
        const handle = ocdbtGateway({
          database: (name) => (name === "db" ? db : undefined),
          allowOrigin: flags.allowOrigin,
          onError: (error, request) =>
            err(`${request.method} ${request.url}: ${error instanceof Error ? error.message : error}\n`),
        });
        await new Promise<void>((resolve, reject) => {
          const server = serve({ fetch: handle, port: flags.port, hostname: flags.host }, ({ port }) => {
            const root = `http://${flags.host}:${port}/db/head`;
            void out(`ready ${root}/ocdbt/|ocdbt:\n`);
            err(`values as files: ${root}/files/\n`);
          });
          server.on("error", (error: NodeJS.ErrnoException) => {
            if (error.code !== "EADDRINUSE") reject(error);
            else reject(new Error(`port ${flags.port} of ${flags.host} is in use; choose another by --port, or 0`));
          });
          const close = (): void => {
            server.close(() => resolve());
            // Slow readers are not waited for.
            if ("closeAllConnections" in server) server.closeAllConnections();
          };
          stop.addEventListener("abort", close, { once: true });
        });
      }),
    );
}
