/**
 * The command coordinator.
 * @module
 */
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Answerer, Coordinator } from "@pcg/ocdbt";
import { serveCoordinator } from "@pcg/ocdbt/coordinator-http";
import type { Command } from "commander";
import { databaseOptions, parseDuration, withDatabase } from "../context.ts";
import type { OpenFlags } from "../open.ts";
import type { Surroundings } from "../surroundings.ts";

/** The lease is had at once, or somebody else has it. */
const WAITING_AFTER_MS = 1000;

interface Flags extends OpenFlags {
  readonly address?: string;
  readonly lease?: number;
}

export function addCoordinatorCommand(parent: Command, surroundings: Surroundings): void {
  const { err, out, stop } = surroundings;
  databaseOptions(parent.command("coordinator <url>"))
    .description(
      "be the one committer of a database, until interrupted; others find it by its lease and send it their commits",
    )
    .option(
      "--address <address>",
      "unix:/path/of/the.sock, or http://127.0.0.1:4100/ (port 0: any); default: a new socket",
    )
    .option(
      "--lease <duration>",
      "another one takes over when this one is silent for so long; 10s unless told",
      parseDuration,
    )
    .option("--config <json>", "of a database that is made by its first commit, as TensorStore spells it")
    .action((url: string, flags: Flags) =>
      withDatabase(url, { ...flags, direct: true, create: true }, surroundings, async ({ db }) => {
        const { store, committer, manifests } = db.parts;
        const answerer: { current?: Answerer } = {};
        const address = flags.address ?? `unix:${join(tmpdir(), `pcg-ocdbt-${process.pid}.sock`)}`;
        const token = flags.coordinatorToken;
        const server = await serveCoordinator(() => answerer.current!, {
          address,
          ...(token !== undefined && { token }),
        });
        const coordinator = new Coordinator({
          store,
          committer,
          manifests,
          address: server.address,
          leaseMs: flags.lease ?? 10_000,
          onLeading: (leading) => {
            if (leading) void out(`ready ${server.address}\n`);
            else if (!stop.aborted) err("lost the lease; waiting for it\n");
          },
          onTrouble: (error) => err(`the lease cannot be kept: ${error instanceof Error ? error.message : error}\n`),
        });
        answerer.current = coordinator;
        coordinator.start();
        const waiting = setTimeout(() => {
          if (!coordinator.leading) err("another coordinator holds the lease, or died lately; waiting for it\n");
        }, WAITING_AFTER_MS);
        try {
          await new Promise<void>((resolve) => stop.addEventListener("abort", () => resolve(), { once: true }));
        } finally {
          clearTimeout(waiting);
          await coordinator.stop();
          await server.close();
        }
      }),
    );
}
