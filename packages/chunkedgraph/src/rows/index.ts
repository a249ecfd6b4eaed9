/**
 * Where everything of a graph is kept in its row store, and how a value is written: pure functions between rows and
 * values, one file a kind. A key is one byte that names the kind, then the id (8 bytes, big-endian), so the rows of a
 * kind lie together and the nodes of a chunk in one range.
 *
 * | kind | key | columns | one cell per |
 * |---|---|---|---|
 * | node | `n` id | `h:c` children (layers ≥ 2), `h:p` parent (not of roots), `x:<l>` cross edges of layer l | once; change; change |
 * | root lineage | `r` id | `l:f` former roots, `l:s` successors, `l:o` operation that made the root | once |
 * | edges of a chunk | `e` layer-1 chunk | `b:chunk`, `b:faces`, `b:joined` ingest blocks; `a:<s><t>` one edited edge | once; change |
 * | operation | `o` number | `o:` JSON | once |
 * | timeline | `t` time, number | `t:` JSON: what the operation at that time changed | once |
 * | head | `h` | `h:` last commit time and operation number | – |
 * | counter | `c` chunk | `c:` last segment number given out | – |
 * | task | `k` name | `d:` result | – |
 * | settings, ingest state | `s`, `i` | JSON | – |
 *
 * Cells marked "once" or "change" carry the time of the edit (or of the ingest) that wrote them and are never written
 * again. Those marked "–" hold only a present value: one cell at time 0, replaced under a guard on its old value.
 * @module
 */
export * from "./counter.ts";
export * from "./edges.ts";
export * from "./head.ts";
export * from "./ingest-state.ts";
export * from "./keys.ts";
export * from "./lineage.ts";
export * from "./node.ts";
export * from "./operation.ts";
export * from "./settings.ts";
export * from "./task.ts";
export * from "./timeline.ts";
export * from "./values.ts";
