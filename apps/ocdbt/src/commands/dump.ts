/**
 * The command dump.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import { dump, parseReference } from "@pcg/ocdbt";
import { pathToBytes } from "@pcg/ocdbt/format";
import type { Command } from "commander";
import { NotFound } from "../errors.ts";
import { readAll } from "../input.ts";
import { openWhole } from "../open.ts";
import type { Surroundings } from "../surroundings.ts";

export function addDumpCommand(parent: Command, surroundings: Surroundings): void {
  const { out, stop } = surroundings;
  parent
    .command("dump <url> [reference]")
    .description("print a manifest or node as JSON, spelled as TensorStore's dump; the manifest unless told")
    .addHelpText(
      "after",
      `
References are printed by dump itself, e.g. btreenode::d/3f…:1024:79; that of a value prints its bytes. Other files of a
database by their name, e.g. manifest.000000000000000c: of a numbered database manifest.ocdbt holds the configuration alone.`,
    )
    .option("--file", "<url> is the path of a single file")
    .action(async (url: string, reference: string | undefined, { file }: { readonly file?: true }) => {
      if (file) return await print(await readAll(url, surroundings), { file: url });
      const { store } = await openWhole(url, stop);
      try {
        await dumpIn(store, reference ?? "manifest.ocdbt");
      } finally {
        await store.close();
      }
    });

  async function dumpIn(store: KvStore, name: string): Promise<void> {
    if (!/^(value|btreenode|versionnode):/.test(name)) return await print(await read(store, name), { file: name });
    const { label, reference } = parseReference(name);
    const { file, offset, length } = reference;
    const bytes = await read(store, pathToBytes(file.basePath + file.relativePath), { offset, length });
    if (label === "value") await out(bytes);
    else await print(bytes, { file: name, basePath: file.basePath });
  }

  async function print(
    bytes: Uint8Array,
    context: { readonly file: string; readonly basePath?: string },
  ): Promise<void> {
    await out(`${JSON.stringify(await dump(bytes, context), null, 2)}\n`);
  }

  async function read(
    store: KvStore,
    key: string | Uint8Array,
    range?: { readonly offset: number; readonly length: number },
  ): Promise<Uint8Array> {
    const found = await store.read(key, { ...(range && { range }), signal: stop });
    if (found === undefined)
      throw new NotFound(`${store.url} has no ${typeof key === "string" ? key : "such data file"}`);
    return found.value;
  }
}
