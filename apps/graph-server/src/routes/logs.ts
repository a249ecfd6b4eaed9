import { z } from "@hono/zod-openapi";
import type { Operation } from "@pcg/chunkedgraph";
import { details, mergeLog, summarize, tabulate, userOperations } from "../change-log.ts";
import type { Endpoints } from "../http/endpoint.ts";
import { HttpError } from "../http/errors.ts";
import { stringifyJson } from "../http/json-write.ts";
import { idList, parseIdList } from "../http/payload.ts";
import { flag, time } from "../http/query.ts";
import type { TableAt } from "../tables.ts";
import { idsSchema, pointSchema } from "./schemas.ts";

const tableSchema = z.record(z.string(), z.record(z.string(), z.unknown())).openapi({
  description: "{column: {row: value}}",
});

/** Who did what to an object. */
export function logRoutes(endpoints: Endpoints): void {
  endpoints.add(
    {
      method: "get",
      path: "/root/{id}/change_log",
      summary: "Counts of the operations that led to a root",
      query: { filtered: flag },
      answer: z.object({
        n_splits: z.int(),
        n_mergers: z.int(),
        user_info: z.record(z.string(), z.object({ n_splits: z.int(), n_mergers: z.int() })),
        operations_ids: idsSchema,
        past_ids: idsSchema,
      }),
    },
    async ({ at, id, signal }) => summarize(await pastOf(at, id, signal)),
  );

  endpoints.add(
    {
      method: "get",
      path: "/root/{id}/merge_log",
      summary: "Edges and points of the merges that led to a root",
      answer: z.object({
        merge_edges: z.array(z.array(idsSchema)),
        merge_edge_coords: z.array(z.array(z.array(pointSchema))),
      }),
    },
    async ({ at, id, signal }) => mergeLog(await pastOf(at, id, signal)),
  );

  endpoints.add(
    {
      method: "get",
      path: "/root/{id}/tabular_change_log",
      summary: "The operations that led to a root, as a table",
      query: { filtered: flag },
      answer: tableSchema,
    },
    async ({ at, id, query, signal }) => tabulate(await pastOf(at, id, signal), query.filtered),
  );

  endpoints.add(
    {
      method: "get",
      path: "/tabular_change_log_many",
      summary: "The operations that led to each root: a table as JSON text per root",
      query: { filtered: flag },
      body: idList("root_ids"),
      answer: z.record(z.string(), z.string()),
    },
    async ({ at, query, body, signal }) => {
      const tables: Record<string, string> = {};
      for (const root of body) {
        tables[String(root)] = stringifyJson(tabulate(await pastOf(at, root, signal), query.filtered));
      }
      return tables;
    },
  );

  endpoints.add(
    {
      method: "get",
      path: "/operation_details",
      summary: "Operations in full, by id",
      query: { operation_ids: z.string().openapi({ description: "JSON list of ids, e.g. [1, 2]" }) },
      answer: z.record(z.string(), z.unknown()),
    },
    async ({ at, query, signal }) => {
      const ids = Array.from(parseIdList(query.operation_ids, "operation_ids"));
      const operations = await at.graph.history.operations(ids, { signal });
      const missing = ids.filter((_, i) => operations[i] === undefined || isAfter(operations[i], at));
      if (missing.length > 0) {
        throw new HttpError(404, `"${at.name}" has no operation ${missing.join(", ")}`, {
          reason: "unknown-operation",
        });
      }
      return Object.fromEntries(operations.map((operation) => [String(operation!.id), details(operation!)]));
    },
  );

  endpoints.add(
    {
      method: "get",
      path: "/user_operations",
      summary: "The operations of a person (or of all) between two times",
      query: { user_id: z.string().optional(), start_time: time, end_time: time },
      answer: tableSchema,
    },
    async ({ at, query, signal }) => {
      const to = (await at.view(query.end_time)).time;
      const operations: Operation[] = [];
      const filter = query.user_id === undefined ? { signal } : { signal, user: query.user_id };
      for await (const operation of at.graph.history.operationsBetween(query.start_time ?? 0n, to, filter)) {
        if (operation.status === "done") operations.push(operation);
      }
      return userOperations(operations);
    },
  );
}

/** Operations of a root's past; a root that began after a pinned instant is unknown there. */
async function pastOf(at: TableAt, root: bigint, signal: AbortSignal): Promise<readonly Operation[]> {
  if (at.pin !== undefined) {
    const [exists] = await (await at.view()).exist(BigUint64Array.of(root), { signal });
    if (exists !== 1) throw new HttpError(404, `id ${root} is not in "${at.name}"`, { reason: "unknown-id" });
  }
  return at.graph.history.changeLog(root, { signal });
}

function isAfter(operation: Operation | undefined, at: TableAt): boolean {
  return operation !== undefined && at.pin !== undefined && operation.time > at.pin;
}
