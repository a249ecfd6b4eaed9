/**
 * Where the tutorial tissue is wrong, for the page to lead newcomers to.
 * @module
 */
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { tableFolder } from "@pcg/ingest";
import type { PlantedError } from "@pcg/tutorial-volume";
import { Hono } from "hono";

/**
 * Routes `/api/mistakes`: for each neurite that was cut in two, a voxel of either piece in one section. None for a table
 * that is no tutorial.
 */
export async function mistakeRoutes(data: string, table: string): Promise<Hono> {
  const mistakes = await plantedMistakes(join(tableFolder(data, table).path, "source/ground-truth.json"));
  const app = new Hono();
  app.get("/api/mistakes", (context) => context.json({ mistakes }));
  return app;
}

async function plantedMistakes(file: string): Promise<readonly (readonly [unknown, unknown])[]> {
  if (!existsSync(file)) return [];
  const { errors } = JSON.parse(await readFile(file, "utf8")) as { readonly errors: readonly PlantedError[] };
  return errors.flatMap((error) => (error.kind === "split" && error.sides ? [error.sides] : []));
}
