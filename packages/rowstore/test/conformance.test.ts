import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { testRowStore } from "../src/conformance.ts";
import { memoryRowStore } from "../src/index.ts";
import { openLmdbRowStore } from "../src/lmdb.ts";
import { naiveStore } from "./naive-store.ts";

const folder = await mkdtemp(join(tmpdir(), "pcg-rowstore-"));
afterAll(() => rm(folder, { recursive: true }));

const api = { describe, test, expect };
let stores = 0;
// The model of the other engines is itself compared with one that looks through a list.
testRowStore("memory", async (clock) => memoryRowStore({ clock }), api, {
  openModel: async (clock) => naiveStore(clock),
});
testRowStore("lmdb", (clock) => openLmdbRowStore(join(folder, String(stores++)), { clock }), api, { runs: 25 });
