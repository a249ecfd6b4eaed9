import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { openKvStore } from "@pcg/kvstore";
import { httpDriver } from "@pcg/kvstore/http";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openVolume } from "../src/index.ts";

const fixtures = new URL("../../../test-fixtures/zarr/", import.meta.url);
const open = (url: string) => openKvStore(url, httpDriver());
let server: Server;
let base: string;
/** Whether the server names versions; some do not. */
let hasVersions = true;

beforeAll(async () => {
  server = createServer((request, response) => {
    readFile(new URL(`.${request.url}`, fixtures)).then(
      (content) => {
        const size = content.length;
        if (hasVersions) response.setHeader("etag", `"${size}"`);
        const range = /^bytes=(\d*)-(\d*)$/.exec(request.headers.range ?? "");
        if (range === null) return response.end(content);
        const start = range[1] === "" ? Math.max(0, size - Number(range[2])) : Number(range[1]);
        const end = range[1] === "" || range[2] === "" ? size : Math.min(size, Number(range[2]) + 1);
        response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${size}` });
        return response.end(content.subarray(start, end));
      },
      () => response.writeHead(404).end(),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
});

afterAll(() => new Promise((resolve) => server.close(resolve)));

describe.each([true, false])("a server that names versions: %s", (versions) => {
  beforeAll(() => {
    hasVersions = versions;
  });

  test.each(["ome-0.4", "ome-0.5", "v3-sharded-uint64", "v3-shards-in-shards-uint32", "v2-blosc-uint64"])(
    "%s reads over HTTP, by ranges where it is sharded",
    async (name) => {
      const manifest = JSON.parse(await readFile(new URL("MANIFEST.json", fixtures), "utf8"));
      const volume = await openVolume(`${base}${name}/`, { open });
      const { voxelOffset: begin, size } = volume.scales[0]!;
      const end = [begin[0] + size[0], begin[1] + size[1], begin[2] + size[2]] as const;
      const data = await volume.scales[0]!.read({ begin, end });
      const digest = await crypto.subtle.digest(
        "SHA-256",
        new Uint8Array(data.buffer, data.byteOffset, data.byteLength) as never,
      );
      expect(Buffer.from(digest).toString("hex")).toBe(manifest.cases[name].voxels);
      await volume.close();
    },
  );
});

test("a server without the volume gives NOT_FOUND", async () => {
  await expect(openVolume(`${base}nothing/`, { open })).rejects.toMatchObject({ code: "NOT_FOUND" });
});
