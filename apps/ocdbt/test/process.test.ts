import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { apply, put, start, until, withFolder } from "./command.ts";

describe("as a process", () => {
  test("bytes go through the pipes as they are", () =>
    withFolder(async (folder) => {
      const bytes = Uint8Array.from({ length: 300_000 }, (_, i) => (i * 31) & 255);
      expect((await start(["put", folder, "k", "-"], bytes).outcome).code).toBe(0);
      const got = await start(["get", folder, "k"]).outcome;
      expect(got).toMatchObject({ code: 0, stderr: "" });
      expect(got.stdout.equals(bytes)).toBe(true);
      expect((await start(["get", folder, "none"]).outcome).code).toBe(1);
      expect((await start(["get", folder]).outcome).code).toBe(2);
    }));

  test("a reader that ends first is no failure", () =>
    withFolder(async (folder) => {
      await apply(folder, ...Array.from({ length: 20_000 }, (_, i) => put(`key/${i}`, "")));
      const list = start(["list", folder, "--json"]);
      list.child.stdout!.once("data", () => list.child.stdout!.destroy());
      expect(await list.outcome).toMatchObject({ code: 0, stderr: "" });
    }));

  test.each([
    ["that waits for stdin", (folder: string) => start(["put", folder, "k", "-"], null)],
    ["that waits for lines", (folder: string) => start(["apply", folder, "-"], null)],
  ])("a command %s ends when it is interrupted, and leaves nothing", (_, begin) =>
    withFolder(async (folder) => {
      const command = begin(join(folder, "db"));
      // More than fits between the processes: it is taken by a command that is reading.
      await new Promise((resolve) => command.child.stdin!.write(Buffer.alloc(1 << 20, " "), resolve));
      command.child.kill("SIGINT");
      expect(await command.outcome).toMatchObject({ code: 1, stderr: "error: interrupted by SIGINT\n" });
      expect(await readdir(folder)).toEqual([]);
    }),
  );

  test("a command whose output nobody takes ends when it is interrupted", () =>
    withFolder(async (folder) => {
      await apply(folder, ...Array.from({ length: 20_000 }, (_, i) => put(`key/${i}`, "")));
      const list = start(["list", folder, "--json"], "", { takeOutput: false });
      await once(list.child.stdout!, "readable");
      list.child.kill("SIGINT");
      await until(() => (list.child.exitCode === null ? undefined : true));
      expect(list.child.exitCode).toBe(1);
    }));
});
