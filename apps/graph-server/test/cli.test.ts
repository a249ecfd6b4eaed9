import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Random } from "@pcg/testkit";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { cli } from "../src/cli.ts";
import { type DataFolder, dataFolderOf, foam } from "./support/real-table.ts";

describe("the command", () => {
  let data: DataFolder;
  beforeAll(async () => {
    data = await dataFolderOf(foam(new Random(5), 9));
  });
  afterAll(() => data.remove());

  async function run(
    args: string[],
    env: Record<string, string> = {},
    onOut: (text: string, stop: () => void) => void = () => undefined,
  ) {
    const stop = new AbortController();
    let [out, err] = ["", ""];
    const code = await cli(args, {
      env: { PCG_LOG_LEVEL: "silent", ...env },
      stop: stop.signal,
      out: (text) => {
        out += text;
        onOut(out, () => stop.abort());
      },
      err: (text) => {
        err += text;
      },
    });
    return { code, out, err };
  }

  test("the version is that of the package", async () => {
    const { version } = JSON.parse(await readFile(new URL("../package.json", import.meta.url), "utf8"));
    expect(await run(["--version"])).toEqual({ code: 0, out: `${version}\n`, err: "" });
  });

  test("serves the tables of a data folder until it is stopped, and frees the port", async () => {
    let seen: unknown;
    const serving = (): Promise<{ code: number; out: string }> =>
      run(["--data", data.path, "--port", "0"], {}, (out, stop) => {
        const url = /^ready (http:\/\/127\.0\.0\.1:\d+\/)$/m.exec(out)![1]!;
        void fetch(`${url}api/tables`)
          .then((response) => response.json())
          .then((tables) => {
            seen = tables;
          })
          .finally(stop);
      });
    expect((await serving()).code).toBe(0);
    expect(seen).toMatchObject({
      tables: [{ name: "foam", size: [70, 50, 40], voxelOffset: [3, 1000, 7], hasImage: false }],
    });
    expect((await serving()).code).toBe(0);
  });

  test("says what is wrong with its settings, and exits with 2", async () => {
    expect(await run(["--data", join(data.path, "absent")])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/no such folder/),
    });
    expect(await run([])).toMatchObject({ code: 2, err: expect.stringMatching(/data/) });
    expect(await run(["--nonsense"])).toMatchObject({ code: 2 });
    expect(await run(["--data", data.path, "--host", "0.0.0.0"])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/set a token/),
    });
    const config = join(data.path, "server.yaml");
    await writeFile(config, "port: 80\ncolour: red\n");
    expect(await run(["--data", data.path, "--config", config])).toMatchObject({
      code: 2,
      err: expect.stringMatching(/server.yaml line 2: colour/),
    });
    expect(await run(["--data", data.path, "--config", `${config}x`])).toMatchObject({ code: 2 });
    expect(await run(["--help"])).toMatchObject({ code: 0, out: expect.stringContaining("--allow-origin") });
  });

  test("a port that is taken is named, and the exit code is 1", async () => {
    const outcome = await run(["--data", data.path, "--port", "0"], {}, (out, stop) => {
      const port = /:(\d+)\/$/m.exec(out)![1]!;
      void run(["--data", data.path, "--port", port])
        .then((second) => {
          expect(second).toMatchObject({ code: 1, err: expect.stringContaining(`port ${port} of 127.0.0.1 is taken`) });
        })
        .finally(stop);
    });
    expect(outcome.code).toBe(0);
  });

  test("check finds the graph sound, in words and as JSON", async () => {
    expect(await run(["check", "--data", data.path])).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^foam: sound \(\d+ supervoxels/),
    });
    const { code, out } = await run(["check", "--data", data.path, "--table", "foam", "--json"]);
    expect([code, JSON.parse(out)]).toMatchObject([0, { table: "foam", violations: [], operations: 0 }]);
    expect(await run(["check", "--data", data.path, "--table", "other"])).toMatchObject({
      code: 1,
      err: expect.stringContaining('there is no table "other"'),
    });
  });

  test("check exits with 1 and names what is broken", async () => {
    const broken = await dataFolderOf(foam(new Random(6), 5));
    try {
      const folder = join(broken.path, "foam/supervoxels/8_8_40");
      const [first, second] = (await readdir(folder)).sort();
      await writeFile(join(folder, first!), await readFile(join(folder, second!)));
      const outcome = await run(["check", "--data", broken.path]);
      expect(outcome).toMatchObject({
        code: 1,
        out: expect.stringMatching(/^foam: \d+ violations[\s\S]*\n {2}voxels: \d+ /),
      });
    } finally {
      await broken.remove();
    }
  });
});
