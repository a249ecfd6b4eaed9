/** What the server takes and keeps; announced at `/api/limits`. */
export interface Limits {
  /** Bytes of a request body, before and after inflation. */
  readonly bodyBytes: number;
  /** Bytes of the request line and headers together. */
  readonly headerBytes: number;
  /** Bytes of remapped object chunks kept in memory. */
  readonly objectCacheBytes: number;
  /** Ids in one answer of `leaves` and `leaves_many`. */
  readonly idsPerAnswer: number;
  /** Edges, and nodes they join, in one answer of `subgraph` and `lvl2_graph`, or to search for a path. */
  readonly edgesPerAnswer: number;
  /** Operations in one answer of the history. */
  readonly operationsPerAnswer: number;
  /** Change feeds open at once. */
  readonly feeds: number;
}

export const DEFAULT_LIMITS: Limits = {
  bodyBytes: 32 * 2 ** 20,
  headerBytes: 256 * 2 ** 10,
  objectCacheBytes: 128 * 2 ** 20,
  idsPerAnswer: 2 ** 22,
  edgesPerAnswer: 2 ** 20,
  operationsPerAnswer: 10_000,
  feeds: 256,
};

/** Items in one JSON request: what the server reads through without keeping others waiting. */
export const REQUEST_LIMITS = { idsPerRequest: 2 ** 20, nodesPerRequest: 2 ** 14, voxelsPerRequest: 2 ** 16 } as const;
