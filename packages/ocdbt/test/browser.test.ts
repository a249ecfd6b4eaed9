import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";

const source = new URL("../src/", import.meta.url);
/** Servers, which browsers are not. */
const nodeOnly = /^coordinator-http\.ts$|^coordinator\/(http|socket-file)\.ts$/;

test("the root, the format and the gateway load without Node", async () => {
  const names = (await readdir(source, { recursive: true })).filter(
    (name) => name.endsWith(".ts") && !nodeOnly.test(name),
  );
  expect(names).toContain("index.ts");
  for (const name of names) {
    const text = await readFile(new URL(name, source), "utf8");
    const imports = [...text.matchAll(/\bfrom "([^"]+)"/g)].map((match) => match[1]!);
    const foreign = imports.filter(
      (target) => !/^\.|^@pcg\/(codecs|kvstore)(\/(crc32c|zstd|varint|reader))?$|^@noble\/hashes\//.test(target),
    );
    expect(foreign, name).toEqual([]);
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    expect(/\b(Buffer|process)\./.exec(code)?.[0], name).toBeUndefined();
  }
});
