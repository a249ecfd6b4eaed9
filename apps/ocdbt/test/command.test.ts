import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rename, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { apply, base64, lines, put, run, runWith, start, text, until, withFolder } from "./command.ts";

const REVERSED = JSON.stringify({ op: "deleteRange", startBase64: base64("c"), endBase64: base64("a") });

describe("values", () => {
  test("any bytes come out as they went in", () =>
    withFolder(async (folder) => {
      const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * 7) & 255);
      expect((await runWith(bytes, "put", folder, "a/b", "-")).code).toBe(0);
      expect((await run("get", folder, "a/b")).stdout.equals(bytes)).toBe(true);
      const missing = await run("get", folder, "a/c");
      expect(missing).toMatchObject({ code: 1, stderr: expect.stringContaining("has no key") });
      expect(missing.stdout.length).toBe(0);
    }));

  test("keys are listed in bytewise order, with sizes and digests", () =>
    withFolder(async (folder) => {
      const url = `file://${folder}/|ocdbt:`;
      await apply(url, put("b", "22"), put("a", "1"), put(Uint8Array.of(0xff, 0x00), "333"));
      const sha256 = (value: string): string => createHash("sha256").update(value).digest("hex");
      expect(await lines("list", url, "--json", "--sha256")).toEqual([
        { key: "a", keyBase64: "YQ==", size: 1, sha256: sha256("1") },
        { key: "b", keyBase64: "Yg==", size: 2, sha256: sha256("22") },
        { keyBase64: "/wA=", size: 3, sha256: sha256("333") },
      ]);
      expect(Object.keys((await lines("list", url, "--json"))[0]!)).toEqual(["key", "keyBase64", "size"]);
      expect((await run("get", url, "/wA=", "--base64")).stdout.toString()).toBe("333");
    }));

  test("a folder of keys in the URL is the place of every key", () =>
    withFolder(async (folder) => {
      await apply(folder, put("seg/info", "{}"), put("seg/8_8_40/0", "x"), put("other", "y"));
      const url = `file://${folder}/|ocdbt:seg/`;
      expect(await text("get", url, "info")).toBe("{}");
      expect((await lines("list", url, "--json")).map(({ key }) => key)).toEqual(["8_8_40/0", "info"]);
      expect(await lines("list", url, "--level", "--json")).toMatchObject([
        { key: "8_8_40/", folder: true },
        { key: "info" },
      ]);
    }));

  test("all mutations of apply are one version, and a bad line leaves none", () =>
    withFolder(async (folder) => {
      await apply(folder, put("a", "1"), put("b", "2"), put("c", "3"));
      const before = await lines("log", folder, "--json");
      await apply(
        folder,
        JSON.stringify({ op: "deleteRange", startBase64: base64("a"), endBase64: base64("c") }),
        JSON.stringify({ op: "delete", keyBase64: base64("c") }),
        put("d", "4"),
      );
      expect((await lines("list", folder, "--json")).map(({ key }) => key)).toEqual(["d"]);
      expect((await lines("log", folder, "--json")).length).toBe(before.length + 1);
      for (const bad of [
        "{",
        '{"op":"put","keyBase64":"YQ=="}',
        '{"op":"move"}',
        put("a", "1").replace("YQ==", "Y"),
        REVERSED,
      ]) {
        const refused = await runWith(`${put("e", "5")}\n${bad}`, "apply", folder, "-");
        expect(refused).toMatchObject({ code: 2, stderr: expect.stringMatching(/line 2: .*nothing was applied/) });
      }
      expect((await lines("log", folder, "--json")).length).toBe(before.length + 1);
    }));

  test("base64 is read as strictly on the command line as in the lines of apply", () =>
    withFolder(async (folder) => {
      await apply(folder, put("a", "1"));
      expect(await text("get", folder, "YQ==", "--base64")).toBe("1");
      // Other bits behind the last byte, whitespace, the digits of URLs, digits beyond.
      for (const loose of ["YR==", "YQ =", "_w==", "YQ==YQ==", "Y"]) {
        const got = await run("get", folder, loose, "--base64");
        expect(got, loose).toMatchObject({ code: 2, stderr: expect.stringContaining("is not base64") });
        const line = put("a", "2").replace("YQ==", loose);
        expect((await runWith(line, "apply", folder, "-")).code, loose).toBe(2);
      }
    }));

  test("a file that cannot be read is wrong usage, whatever reads it", () =>
    withFolder(async (folder) => {
      const none = join(folder, "none");
      for (const args of [
        ["put", folder, "k", none],
        ["apply", folder, none],
        ["dump", none, "--file"],
      ]) {
        expect(await run(...args), args[0]!).toMatchObject({
          code: 2,
          stderr: `error: cannot read the file ${none}: there is none\n`,
        });
      }
    }));

  test("a key that is too long is told in a few words", () =>
    withFolder(async (folder) => {
      const { code, stderr } = await runWith(put(new Uint8Array(70_000), "1"), "apply", folder, "-");
      expect(code).toBe(1);
      expect(stderr).toContain("has 70000 bytes; the format holds at most 65535");
      expect(stderr.length).toBeLessThan(300);
    }));

  test("a range without an end, or with an empty one, reaches to the last key", () =>
    withFolder(async (folder) => {
      for (const end of [{}, { endBase64: "" }]) {
        await apply(folder, put("a", "1"), put("b", "2"), put(Uint8Array.of(0xff, 0xff), "3"));
        await apply(folder, JSON.stringify({ op: "deleteRange", startBase64: base64("b"), ...end }));
        expect((await lines("list", folder, "--json")).map(({ key }) => key)).toEqual(["a"]);
      }
    }));

  test("a new database is made as --config says, and not otherwise later", () =>
    withFolder(async (folder) => {
      const config = JSON.stringify({ max_inline_value_bytes: 0, compression: null, version_tree_arity_log2: 1 });
      expect((await runWith("1", "put", folder, "a", "-", "--config", config)).code).toBe(0);
      expect(JSON.parse(await text("dump", folder))).toMatchObject({
        config: { max_inline_value_bytes: 0, compression: null, version_tree_arity_log2: 1 },
      });
      const other = await runWith("1", "put", folder, "a", "-", "--config", '{"max_inline_value_bytes": 5}');
      expect(other).toMatchObject({ code: 1, stderr: expect.stringMatching(/max_?inline_?value_?bytes/i) });
    }));

  test("cp and rm take one key or all of a prefix", () =>
    withFolder(async (folder) => {
      await apply(folder, put("a/1", "x".repeat(5000)), put("a/2", "y"), put("b", "z"));
      await text("cp", folder, "a/", "copy/", "--prefix");
      expect(await text("get", folder, "copy/1")).toBe("x".repeat(5000));
      await text("rm", folder, "a/", "--prefix");
      await text("rm", folder, "b");
      expect((await lines("list", folder, "--json")).map(({ key }) => key)).toEqual(["copy/1", "copy/2"]);
      expect((await run("rm", folder, "b")).code).toBe(1);
    }));
});

describe("history", () => {
  test("the log is newest first, and older states are named by generation, time and tag", () =>
    withFolder(async (folder) => {
      for (const value of ["one", "two", "three"]) {
        expect((await runWith(value, "put", folder, "k", "-", "-m", `make it ${value}`, "--author", "ada")).code).toBe(
          0,
        );
      }
      const log = await lines("log", folder, "--json");
      expect(log.map(({ message }) => message)).toEqual(["make it three", "make it two", "make it one"]);
      expect(Object.keys(log[0]!)).toEqual(
        expect.arrayContaining(["generation", "commitTime", "numKeys", "treeBytes", "valueBytes"]),
      );
      const [newest, middle] = log.map(({ generation }) => generation as number);
      expect(newest! - middle!).toBe(1);
      const at = (version: string): Promise<string> => text("get", `file://${folder}/|ocdbt:@${version}/`, "k");
      expect(await at(`v${middle}`)).toBe("two");
      await text("tag", folder, "reviewed", `v${middle}`);
      expect(await at("reviewed")).toBe("two");
      expect(await lines("diff", folder, "reviewed", "--json")).toEqual([
        { kind: "changed", key: "k", keyBase64: "aw==", before: 3, after: 5 },
      ]);
      await text("restore", folder, "reviewed");
      expect(await text("get", folder, "k")).toBe("two");
      expect(JSON.parse(await text("head", folder, "--json")).generation).toBe(newest! + 1);
      expect((await lines("history", folder, "k", "--json")).map(({ kind }) => kind)).toEqual(
        expect.arrayContaining(["changed", "added"]),
      );
      expect(await run("get", `${folder}/|ocdbt:@v99/`, "k")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(
          `there is no version v99; versions here are v1…v${newest! + 1}, the first of 20`,
        ),
      });
      await text("expire", folder, "--keep", "1");
      expect(await run("get", `${folder}/|ocdbt:@v${newest}/`, "k")).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(`version v${newest} has expired, or never was; versions here are v`),
      });
    }));
});

describe("names of databases", () => {
  test("TensorStore's JSON names a database with its config, prefixes and cache, whether or not the base ends in a slash", () =>
    withFolder(async (folder) => {
      const spec = (members: object): string =>
        JSON.stringify({ driver: "ocdbt", base: { driver: "file", path: `${folder}/db` }, ...members });
      const made = spec({
        config: { max_inline_value_bytes: 2 },
        value_data_prefix: "values/",
        cache_pool: "cache_pool",
      });
      await apply(made, put("seg/a", "long"));
      expect(await readdir(join(folder, "db/values"))).toHaveLength(1);
      expect(await readdir(join(folder, "db/d"))).toHaveLength(1);
      expect(await text("get", spec({ path: "seg/", version: 1, config: { max_inline_value_bytes: 2 } }), "a")).toBe(
        "long",
      );
      expect(await run("list", spec({ config: { max_inline_value_bytes: 3 } }))).toMatchObject({ code: 1 });
      expect(await runWith("", "put", made, "k", "-", "--config", "{}")).toMatchObject({ code: 2 });
      expect(await run("list", spec({ coordinator: { address: "host:1" } }))).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("lease"),
      });
    }));

  test("a manifest in another folder is found by TensorStore's JSON", () =>
    withFolder(async (folder) => {
      const at = (name: string): object => ({ driver: "file", path: `${folder}/${name}/` });
      const spec = JSON.stringify({ driver: "ocdbt", base: at("data"), manifest: at("manifests") });
      await apply(spec, put("a", "1"));
      expect(await readdir(join(folder, "manifests"))).toContain("manifest.ocdbt");
      expect(await readdir(join(folder, "data"))).toEqual(["d"]);
      expect(await text("get", spec, "a")).toBe("1");
      for (const command of [
        ["fsck", spec],
        ["repair", spec],
        ["get", spec, "a", "--fork", "alice"],
      ]) {
        expect(await run(...command)).toMatchObject({ code: 2, stderr: expect.stringContaining("lie together") });
      }
    }));

  test("a URL of what lies in a database is not taken for one of the database", () =>
    withFolder(async (folder) => {
      await apply(folder, put("info", "{}"));
      expect(await run("list", `${folder}/|ocdbt:|neuroglancer-precomputed:`)).toMatchObject({
        code: 2,
        stderr: expect.stringContaining("leave out |neuroglancer-precomputed:"),
      });
    }));
});

describe("forks", () => {
  test("a fork is edited apart from its base, and merged into it", () =>
    withFolder(async (folder) => {
      await apply(folder, put("a", "1"), put("b", "2"));
      await text("fork", folder, "alice");
      expect((await runWith("alice's", "put", folder, "a", "-", "--fork", "alice")).code).toBe(0);
      expect(await text("get", folder, "a")).toBe("1");
      expect(await text("get", folder, "b", "--fork", "alice")).toBe("2");
      expect(await lines("fork", folder, "--json")).toMatchObject([{ id: "alice", state: "ready" }]);
      const spec = await text("fork", folder, "alice", "--spec");
      expect(await text("get", spec, "a")).toBe("alice's");
      await text("merge", folder, "alice");
      expect(await text("get", folder, "a")).toBe("alice's");
      expect(await run("get", folder, "a", "--fork", "bob")).toMatchObject({
        code: 1,
        stderr: expect.stringContaining("bob"),
      });
    }));

  test("a fork in a folder of its own is found where its base says, and where it is told to be once it was moved", () =>
    withFolder(async (folder) => {
      const [base, far, moved] = ["base", "far", "moved"].map((name) => join(folder, name)) as [string, string, string];
      await apply(base, put("a", "1"), put("b", "2"));
      await text("fork", base, "o", "--folder", far);
      await runWith("x".repeat(500), "put", base, "a", "-", "--fork", "o");
      expect(await lines("fork", base, "--json")).toMatchObject([{ id: "o", state: "ready" }]);
      for (const command of [
        ["sweep", base],
        ["fsck", base],
        ["repair", base],
        ["fsck", base, "--fork", "o"],
      ])
        await text(...command);
      expect(await text("get", await text("fork", base, "o", "--spec"), "a")).toBe("x".repeat(500));
      await text("merge", base, "o");
      expect(await text("get", base, "a")).toBe("x".repeat(500));
      await rename(far, moved);
      const lost = await run("get", base, "a", "--fork", "o");
      expect(lost).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/no manifest\.ocdbt in .*far.* name the folder/),
      });
      expect(await lines("fork", base, "--json")).toMatchObject([{ id: "o", state: "unfinished" }]);
      await runWith("y", "put", base, "a", "-", "--fork", "o", "--fork-folder", moved);
      await text("merge", base, "o", "--fork-folder", moved);
      expect(await text("get", base, "a")).toBe("y");
      await rename(moved, far);
      await text("fork", base, "o", "--drop");
      expect(await lines("fork", base, "--json")).toEqual([]);
      expect((await readdir(far)).filter((name) => name === "manifest.ocdbt")).toEqual([]);
    }));

  test("a fork that another program made is merged by its URL, and again with what that printed", () =>
    withFolder(async (folder) => {
      const [base, own] = [join(folder, "base"), join(folder, "own")] as const;
      await apply(base, put("a", "1"), put("b", "2"));
      await mkdir(own);
      await copyFile(join(base, "manifest.ocdbt"), join(own, "manifest.ocdbt"));
      const spec = JSON.stringify({
        driver: "ocdbt",
        base: {
          driver: "kvstack",
          layers: [
            { base: `file://${base}/` },
            { base: `file://${own}/manifest.ocdbt`, exact: "manifest.ocdbt" },
            { base: `file://${own}/p_d/`, prefix: "p_d/" },
          ],
        },
        value_data_prefix: "p_d/",
        btree_node_data_prefix: "p_d/",
        version_tree_node_data_prefix: "p_d/",
      });
      expect(await runWith("theirs", "put", spec, "a", "-")).toMatchObject({ code: 0 });
      await runWith("ours", "put", base, "b", "-");
      const first = await run("merge", base, spec);
      expect(first).toMatchObject({ code: 0, stderr: expect.stringContaining("merged 1 key") });
      expect([await text("get", base, "a"), await text("get", base, "b")]).toEqual(["theirs", "ours"]);
      const agreed = /^agreed (\d+:\d+)$/m.exec(first.stderr)![1]!;
      await runWith("once more", "put", spec, "a", "-");
      expect((await run("merge", base, spec)).code).toBe(1);
      expect(await run("merge", base, spec, "--agreed", agreed)).toMatchObject({ code: 0 });
      expect(await text("get", base, "a")).toBe("once more");
      expect((await run("merge", base, spec, "--agreed", "x")).code).toBe(2);
      expect((await run("merge", base, spec, "--into-fork")).code).toBe(2);
    }));

  test("a fork is swept with its base at hand, which may use its files", () =>
    withFolder(async (folder) => {
      await apply(folder, put("a", "1"));
      await text("fork", folder, "alice");
      for (const value of ["x", "y"]) await runWith(value.repeat(5000), "put", folder, "a", "-", "--fork", "alice");
      await text("expire", folder, "--keep", "1", "--fork", "alice");
      const [swept] = await lines("sweep", folder, "--fork", "alice", "--grace", "0s", "--json");
      expect((swept!.removed as unknown[]).length).toBeGreaterThan(0);
      expect(await text("get", folder, "a", "--fork", "alice")).toBe("y".repeat(5000));
      expect(await text("get", folder, "a")).toBe("1");
    }));

  test("what both sides changed is named, and merged only as told", () =>
    withFolder(async (folder) => {
      await apply(folder, put("a", "1"));
      await text("fork", folder, "alice");
      await runWith("hers", "put", folder, "a", "-", "--fork", "alice");
      await runWith("mine", "put", folder, "a", "-");
      expect(await run("merge", folder, "alice")).toMatchObject({
        code: 1,
        stderr: expect.stringMatching(/both sides changed "a"/),
      });
      expect(await text("get", folder, "a")).toBe("mine");
      await text("merge", folder, "alice", "--on-conflict", "theirs");
      expect(await text("get", folder, "a")).toBe("hers");
    }));
});

describe("versions in the URL", () => {
  test("nothing changes a version, and what begins with one begins there", () =>
    withFolder(async (folder) => {
      for (const value of ["1", "2", "3"]) await runWith(value, "put", folder, "k", "-");
      const log = await lines("log", folder, "--json");
      const first = log.at(-1)!.generation as number;
      const url = `${folder}/|ocdbt:@v${first}/`;
      for (const args of [
        ["put", url, "k", "-"],
        ["apply", url, "-"],
        ["rm", url, "k"],
        ["restore", url, "v1"],
        ["expire", url, "--keep", "1"],
        ["sweep", url],
        ["compact", url],
        ["fsck", url],
        ["merge", url, "alice"],
      ]) {
        expect(await runWith("", ...args), args[0]).toMatchObject({
          code: 2,
          stderr: expect.stringMatching(/names a version/),
        });
      }
      expect(await lines("log", folder, "--json")).toEqual(log);
      expect(await lines("log", url, "--json")).toEqual([log.at(-1)]);
      expect((await lines("head", url, "--json"))[0]!.generation).toBe(first);
      await text("tag", url, "start");
      expect(await text("get", `${folder}/|ocdbt:@start/`, "k")).toBe("1");
      await text("fork", url, "alice");
      expect(await text("get", folder, "k", "--fork", "alice")).toBe("1");
      await text("fork", folder, "bob", "--version", `v${first + 1}`);
      expect(await text("get", folder, "k", "--fork", "bob")).toBe("2");
    }));
});

describe("upkeep", () => {
  test("versions expire, files that nobody needs go, and what is left is sound", () =>
    withFolder(async (folder) => {
      for (let i = 0; i < 5; i++) {
        await runWith(`${i}`.repeat(5000), "put", folder, "k", "-");
      }
      expect(await lines("expire", folder, "--keep", "1", "--dry-run", "--json")).toMatchObject([{ kept: 1 }]);
      expect((await lines("log", folder, "--json")).length).toBeGreaterThanOrEqual(5);
      await text("expire", folder, "--keep", "1");
      const before = (await readdir(join(folder, "d"))).length;
      await text("sweep", folder, "--grace", "0s");
      expect((await readdir(join(folder, "d"))).length).toBeLessThan(before);
      expect(await text("get", folder, "k")).toBe("4".repeat(5000));
      expect((await lines("fsck", folder, "--deep", "--json"))[0]).toMatchObject({ isSound: true });
    }));

  test("damage is found and told by the exit code", () =>
    withFolder(async (folder) => {
      await runWith("x".repeat(5000), "put", folder, "k", "-");
      for (const file of await readdir(join(folder, "d"))) await truncate(join(folder, "d", file), 100);
      expect(await run("fsck", folder)).toMatchObject({ code: 1, stderr: expect.stringContaining("damage") });
      expect((await run("repair", folder)).code).toBe(1);
    }));
});

describe("repair", () => {
  test("a version that cannot be read goes when told to, and the sound one before it is back", () =>
    withFolder(async (folder) => {
      await runWith("x".repeat(5000), "put", folder, "k", "-");
      const before = new Set(await readdir(join(folder, "d")));
      await runWith("y".repeat(5000), "put", folder, "k", "-");
      for (const file of await readdir(join(folder, "d")))
        if (!before.has(file)) await truncate(join(folder, "d", file), 9);
      expect((await run("get", folder, "k")).code).toBe(1);
      expect(await text("repair", folder, "--drop-versions", "--dry-run")).toContain("would ");
      expect((await run("get", folder, "k")).code).toBe(1);
      await text("repair", folder, "--drop-versions");
      expect(await text("get", folder, "k")).toBe("x".repeat(5000));
      expect((await run("fsck", folder, "--deep")).code).toBe(0);
    }));

  test("of a newest version that cannot be read it is said first what loses least, and no option empties the database", () =>
    withFolder(async (folder) => {
      const known = new Set<string>();
      const d = join(folder, "d");
      for (let i = 0; i < 4; i++) {
        for (const file of i === 0 ? [] : await readdir(d)) known.add(file);
        await apply(folder, put(`k${i}`, "v".repeat(50)));
      }
      for (const file of await readdir(d)) if (!known.has(file)) await truncate(join(d, file), 30);
      const { generation } = (await lines("log", folder, "--json"))[1]! as { generation: number };
      for (const args of [[], ["--dry-run"], ["--drop-keys"], ["--drop-keys", "--dry-run"]]) {
        const { code, stdout, stderr } = await run("repair", folder, ...args);
        expect([code, stdout.toString()]).toEqual([args.includes("--dry-run") ? 0 : 1, "nothing was repaired\n"]);
        expect(stderr).toMatch(
          new RegExp(
            `--drop-versions makes v${generation} \\(.*, 3 keys\\) the newest again, .*; of v${generation + 1} nothing can be read, so --drop-keys would leave`,
          ),
        );
      }
      expect(await text("repair", folder, "--drop-keys", "--drop-versions")).toMatch(
        new RegExp(`^restore-sound-version: generation ${generation}, of 3 keys, becomes the newest again`),
      );
      expect((await lines("list", folder, "--json")).length).toBe(3);
    }));

  test("a single manifest that cannot be read is said to need a backup, while its forks can be read", () =>
    withFolder(async (folder) => {
      await apply(folder, put("a", "1"));
      await text("fork", folder, "alice");
      const manifest = join(folder, "manifest.ocdbt");
      const torn = await readFile(manifest);
      torn[torn.length - 9]! ^= 1;
      await writeFile(manifest, torn);
      for (const args of [[], ["--drop-versions", "--drop-keys"]]) {
        const { code, stdout, stderr } = await run("repair", folder, ...args);
        expect([code, stdout.toString()]).toEqual([1, "nothing was repaired\n"]);
        expect(stderr).toMatch(/manifest\.ocdbt itself is damaged.* no option helps: bring it back from a backup/);
      }
      expect(await text("get", folder, "a", "--fork", "alice")).toBe("1");
    }));

  test("the tail of a longer manifest, which a crash beside TensorStore leaves, is cut off", () =>
    withFolder(async (folder) => {
      await runWith("1", "put", folder, "k", "-");
      const manifest = join(folder, "manifest.ocdbt");
      await writeFile(manifest, Buffer.concat([await readFile(manifest), Buffer.alloc(300, 7)]));
      expect((await run("get", folder, "k")).code).toBe(1);
      await text("repair", folder);
      expect(await text("get", folder, "k")).toBe("1");
    }));
});

describe("serving", () => {
  test("stock readers get a version as a folder and as files", () =>
    withFolder(async (folder) => {
      await apply(folder, put("a/b", "old"));
      await apply(folder, put("a/b", "new"));
      const server = start(["serve", folder, "--port", "0"]);
      try {
        const url = await until(() => /ready (http:\S+)\/db\/head\/ocdbt/.exec(server.output())?.[1]);
        expect(await (await fetch(`${url}/db/head/files/a/b`)).text()).toBe("new");
        expect(await text("get", `${url}/db/head/ocdbt/|ocdbt:`, "a/b")).toBe("new");
      } finally {
        server.child.kill("SIGINT");
      }
      expect((await server.outcome).code).toBe(0);
    }));

  test("commits go through the coordinator while there is one", () =>
    withFolder(async (folder) => {
      const coordinator = start(["coordinator", folder, "--address", `unix:${folder}/c.sock`]);
      try {
        await until(() => (coordinator.output().includes("ready") ? true : undefined));
        await Promise.all(Array.from({ length: 4 }, (_, i) => apply(folder, put(`k${i}`, `${i}`))));
        expect((await lines("list", folder, "--json")).map(({ key }) => key)).toEqual(["k0", "k1", "k2", "k3"]);
        const second = start(["coordinator", folder, "--address", `unix:${folder}/d.sock`]);
        await until(() => (/waiting for it/.test(second.errors()) ? true : undefined));
        second.child.kill("SIGTERM");
        expect((await second.outcome).stdout.toString()).toBe("");
      } finally {
        coordinator.child.kill("SIGTERM");
      }
      expect((await coordinator.outcome).code).toBe(0);
      await apply(folder, put("after", "1"));
      expect(await text("get", folder, "after")).toBe("1");
    }));
});

describe("usage", () => {
  test.each([
    [[], 2],
    [["--help"], 0],
    [["get", "--help"], 0],
    [["get"], 2],
    [["fly", "x"], 2],
    [["get", "nowhere://x/", "k"], 2],
    [["get", "file:///tmp/|ocdbt:@v0/", "k"], 2],
    [["get", "/nonexistent/db", "k"], 1],
    [["list", '{"driver":"zip"}'], 2],
    [["expire", "/nonexistent/db"], 1],
    [["--version"], 0],
    [["list", "x", "--version"], 2],
    [["put", "x", "k", "./no-such-file"], 2],
    [["tag", "x", "--delete"], 1],
  ])("%j ends with %i", async (args, code) => {
    expect((await run(...(args as string[]))).code).toBe(code);
  });

  test("the README names every command", async () => {
    const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
    const help = await text("--help");
    const commands = [...help.slice(help.indexOf("Commands:")).matchAll(/^ {2}([a-z]+)/gm)].map(([, name]) => name!);
    expect(commands.length).toBeGreaterThan(18);
    for (const name of commands.filter((name) => name !== "help")) expect(readme).toContain(`\`${name}`);
  });

  test("the first lines of the README work", () =>
    withFolder(async (folder) => {
      const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
      const script = /```sh\n([\s\S]*?)```/.exec(readme)![1]!;
      await writeFile(join(folder, "info.json"), "{}");
      for (const line of script.split("\n").filter((line) => line.startsWith("npx pcg-ocdbt "))) {
        const words = line
          .replace(/ +#.*/, "")
          .match(/"[^"]*"|'[^']*'|\S+/g)!
          .slice(2);
        await text(...words.map((word) => word.replace(/^["']|["']$/g, "").replace(/^\.\//, `${folder}/`)));
      }
    }));
});
