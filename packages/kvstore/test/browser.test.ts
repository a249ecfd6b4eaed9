import { readdir, readFile } from "node:fs/promises";
import { expect, test } from "vitest";

const source = new URL("../src/", import.meta.url);

test("everything but /file loads without Node", async () => {
  const files = (await readdir(source, { recursive: true })).filter(
    (name) => name.endsWith(".ts") && !/^file[./]/.test(name),
  );
  expect(files).toContain("index.ts");
  for (const name of files) {
    const text = await readFile(new URL(name, source), "utf8");
    const imports = [...text.matchAll(/\bfrom "([^"]+)"/g)].map((match) => match[1]!);
    expect(
      imports.filter((target) => !target.startsWith(".") || /\/file[./]/.test(target)),
      name,
    ).toEqual([]);
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, "");
    expect(/\b(Buffer|process)\./.exec(code)?.[0], name).toBeUndefined();
  }
});
