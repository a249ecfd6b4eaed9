/** What the page asks of the server besides what the graphene layer asks itself. Ids are strings, times unix seconds as text. */

export type Vector = [number, number, number];

export interface Table {
  readonly name: string;
  /** Nanometres per voxel. */
  readonly resolution: Vector;
  readonly voxelOffset: Vector;
  /** Voxels. */
  readonly size: Vector;
  /** When the graph began, unix seconds. */
  readonly ingestTime: number;
  /** Source URLs of the plain volumes; files below them may be kept for ever. */
  readonly objects: string;
  readonly supervoxels: string;
  readonly image?: string;
}

export interface Operation {
  readonly id: string;
  readonly kind: string;
  readonly status: "done" | "refused";
  readonly user: string;
  /** Unix seconds with microseconds, e.g. `1795244027.123456`. */
  readonly time: string;
  /** Voxel the operation was made at. */
  readonly position: Vector | null;
  readonly oldRoots: readonly string[];
  readonly newRoots: readonly string[];
  readonly refusal?: { readonly message: string };
}

/** Where the page is served; everything else lies below it. */
export const base = new URL(".", document.baseURI).href.replace(/\/$/, "");

export async function fetchTables(): Promise<Table[]> {
  return ((await getJson("api/tables")) as { tables: Table[] }).tables;
}

export async function fetchOperations(table: string): Promise<Operation[]> {
  const path = `api/tables/${encodeURIComponent(table)}/operations`;
  return ((await getJson(path)) as { operations: Operation[] }).operations;
}

/** For each planted mistake of a tutorial a voxel on either side of it; empty for other tables. */
export async function fetchMistakes(): Promise<[Vector, Vector][]> {
  return ((await getJson("api/mistakes")) as { mistakes: [Vector, Vector][] }).mistakes;
}

/** The present object at each voxel, "0" where there is none. */
export async function rootsAt(table: string, voxels: readonly Vector[]): Promise<string[]> {
  const path = `segmentation/api/v1/table/${encodeURIComponent(table)}/supervoxel_lookup?int64_as_str=1`;
  return ((await postJson(path, { voxels })) as { root_ids: string[] }).root_ids;
}

/**
 * Tells each operation committed after `after` (unix seconds), whoever makes it, and whether the server is there to tell.
 * The browser reconnects by itself and misses nothing: the feed resumes after the last event.
 */
export function watchOperations(
  table: string,
  after: string,
  listener: { operation(operation: Operation): void; connected(now: boolean): void },
): void {
  const events = new EventSource(`${base}/api/tables/${encodeURIComponent(table)}/events?after=${after}`);
  events.addEventListener("operation", (event) => listener.operation(JSON.parse(event.data) as Operation));
  events.addEventListener("open", () => listener.connected(true));
  events.addEventListener("error", () => listener.connected(false));
}

/** The objects that hold the supervoxels of `roots` at `toTime` (`undefined`: now), when they are those of `fromTime`. */
export async function translateRoots(
  table: string,
  roots: readonly string[],
  fromTime: string | undefined,
  toTime: string | undefined,
): Promise<string[]> {
  if (roots.length === 0) return [];
  const graph = (time: string | undefined) =>
    `segmentation/api/v1/table/${encodeURIComponent(time === undefined ? table : `${table}@${time}`)}`;
  const leaves = (await postJson(`${graph(fromTime)}/node/leaves_many?int64_as_str=1`, { node_ids: roots })) as Record<
    string,
    string[]
  >;
  const answer = (await postJson(`${graph(toTime)}/roots?int64_as_str=1`, {
    node_ids: Object.values(leaves).flat(),
  })) as {
    root_ids: string[];
  };
  return [...new Set(answer.root_ids)].filter((root) => root !== "0");
}

async function getJson(path: string): Promise<unknown> {
  return parse(await fetch(`${base}/${path}`));
}

async function postJson(path: string, body: unknown): Promise<unknown> {
  return parse(await fetch(`${base}/${path}`, { method: "POST", body: JSON.stringify(body) }));
}

/** The server asks for a token, and the browser has none or a wrong one. */
export class TokenNeeded extends Error {}

/** Remembers a token for this browser, the way the server's other clients send it. */
export function rememberToken(token: string): void {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API is missing in browsers the page supports
  document.cookie = `middle_auth_token=${encodeURIComponent(token)}; path=/; SameSite=Strict; max-age=31536000`;
}

async function parse(response: Response): Promise<unknown> {
  if (response.ok) return response.json();
  const text = await response.text();
  let message = text;
  try {
    message = (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    // Not every refusal comes from our server; its text is all there is to show.
  }
  if (response.status === 401) throw new TokenNeeded(message);
  throw new Error(message || `The server answered ${response.status}`);
}
