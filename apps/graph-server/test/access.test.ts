import { beforeAll, describe, expect, test } from "vitest";
import { LOOPBACK_HOSTS } from "../src/index.ts";
import { A, D } from "./support/fake-graph.ts";
import { API, type Toy, toy } from "./support/toy-table.ts";

const merge = `[[${A},160,240,1600],[${D},960,240,1600]]`;

describe("with tokens", () => {
  let server: Toy;
  beforeAll(async () => {
    const tokens = [
      { token: "secret-of-ann", user: "ann" },
      { token: "secret-of-bob", user: "bob" },
    ];
    server = await toy({ auth: { tokens } });
  });
  const status = async (path: string, headers: Record<string, string> = {}): Promise<number> =>
    (await server.get(path, { headers })).status;

  test("every route but health asks for one, as JSON with a challenge", async () => {
    for (const path of [
      `${API}/node/${A}/root`,
      "/segmentation/table/toy/info",
      "/api/tables",
      "/objects/toy/info",
      "/data/toy/image/info",
    ]) {
      const response = await server.get(path);
      expect(response.status).toBe(401);
      expect(response.headers.get("www-authenticate")).toMatch(/^Bearer/);
      expect(response.headers.get("content-type")).toBe("application/json");
      expect(await response.json()).toMatchObject({ code: 401, message: expect.stringContaining("Bearer TOKEN") });
    }
    expect(await status("/api/health")).toBe(200);
  });

  test("it may come as header, cookie or parameter, and must be right", async () => {
    const path = "/segmentation/table/toy/info";
    expect(await status(path, { authorization: "Bearer secret-of-ann" })).toBe(200);
    expect(await status(path, { cookie: "x=1; middle_auth_token=secret-of-bob" })).toBe(200);
    expect(await status(`${path}?middle_auth_token=secret-of-bob`)).toBe(200);
    expect(await status(path, { authorization: "Bearer secret-of-an" })).toBe(401);
    expect(await status(path, { authorization: "Basic secret-of-ann" })).toBe(401);
    expect(await status(`${path}?middle_auth_token=`)).toBe(401);
  });

  test("edits carry the name of the token's owner", async () => {
    const response = await server.post(`${API}/merge`, merge, { headers: { authorization: "Bearer secret-of-bob" } });
    expect(response.status).toBe(200);
    expect(server.graph.log.map(({ user }) => user)).toEqual(["bob"]);
  });

  test("a cookie alone lets no page of another origin edit: browsers send it by themselves", async () => {
    const post = async (headers: Record<string, string>): Promise<number> =>
      (await server.post(`${API}/merge`, "[]", { headers })).status;
    const cookie = "middle_auth_token=secret-of-ann";
    expect(await post({ cookie, origin: "http://evil.example" })).toBe(403);
    expect(await post({ cookie, origin: "null" })).toBe(403);
    expect(await post({ cookie, origin: "http://localhost" })).toBe(400);
    expect(await post({ authorization: "Bearer secret-of-ann", origin: "http://viewer.example" })).toBe(400);
    expect(await post({ cookie })).toBe(400);
  });

  test("an address without its key tells nobody which tables there are", async () => {
    for (const path of ["/objects/other~x/info", "/objects/toy~x/info", "/data/other/image~x/info"]) {
      const response = await server.get(path);
      expect(response.status).toBe(404);
      expect(await response.text()).not.toContain("tables here");
    }
  });

  test("volumes open by the address in the info, which readers fetch without a token", async () => {
    const headers = { authorization: "Bearer secret-of-ann" };
    const info = (await (await server.get("/segmentation/table/toy/info", { headers })).json()) as { data_dir: string };
    const dir = new URL(info.data_dir).pathname;
    expect(dir).toMatch(/^\/data\/toy\/supervoxels~\w+-[\w-]{22}$/);
    expect(await status(`${dir}/info`)).toBe(200);
    expect(await status(`${dir.slice(0, -1)}x/info`)).toBe(404);
    expect(await status(`${dir.replace(/-[^/]*$/, "")}/info`)).toBe(404);
    const { tables } = (await (await server.get("/api/tables", { headers })).json()) as {
      tables: [{ objects: string }];
    };
    expect(await status(`${new URL(tables[0].objects.replace("precomputed://", "")).pathname}/info`)).toBe(200);
  });
});

describe("on this machine without tokens", () => {
  let server: Toy;
  beforeAll(async () => {
    server = await toy({
      auth: { allowedHosts: new Set(LOOPBACK_HOSTS), allowedOrigins: new Set(["https://trusted.example"]) },
    });
  });

  test("answers under its own names only, so that no foreign name can be pointed at it", async () => {
    for (const host of ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:99", "LOCALHOST:5"]) {
      expect((await server.get("/api/health", { headers: { host } })).status).toBe(200);
    }
    for (const host of ["evil.example", "localhost.evil.example:80", "127.0.0.1.nip.io"]) {
      const response = await server.get("/api/health", { headers: { host } });
      expect(response.status).toBe(403);
      expect(await response.json()).toMatchObject({ message: expect.stringContaining("public URL") });
    }
  });

  test("pages of other origins may read, and edit only when allowed", async () => {
    const edit = async (origin: string): Promise<Response> =>
      server.post(`${API}/merge`, "[]", { headers: { host: "localhost:80", origin } });
    const foreign = await edit("https://evil.example");
    expect(foreign.status).toBe(403);
    expect(foreign.headers.get("access-control-allow-origin")).toBe("*");
    // These get as far as the body, which is none.
    expect((await edit("http://localhost")).status).toBe(400);
    expect((await edit("https://trusted.example")).status).toBe(400);
    expect((await server.post(`${API}/merge`, "[]")).status).toBe(400);
    const read = await server.get("/segmentation/table/toy/info", { headers: { origin: "https://evil.example" } });
    expect([read.status, read.headers.get("access-control-allow-origin")]).toEqual([200, "*"]);
  });

  test("preflights are answered, and the headers clients read are exposed", async () => {
    const preflight = await server.app.request(`http://localhost${API}/merge`, { method: "OPTIONS" });
    expect(preflight.status).toBe(204);
    expect(preflight.headers.get("access-control-allow-headers")).toMatch(/Authorization/);
    const exposed = (await server.get(`${API}/node/5/root`)).headers.get("access-control-expose-headers")!;
    for (const header of ["WWW-Authenticate", "Content-Range", "Used-Bounds"]) expect(exposed).toContain(header);
  });
});
