import { z } from "@hono/zod-openapi";
import type { Operation } from "@pcg/chunkedgraph";
import type { Context } from "hono";
import { operationDocument, operationEvents, textStream } from "../feed.ts";
import type { Endpoints } from "../http/endpoint.ts";
import { HttpError } from "../http/errors.ts";
import { integer, time } from "../http/query.ts";
import { REQUEST_LIMITS } from "../limits.ts";
import type { Table } from "../tables.ts";
import { SERVER_VERSION } from "../version.ts";
import { volumeTag } from "../volume-address.ts";
import { pointSchema } from "./schemas.ts";

/** Later than any operation: the year 2255, the last one the log can hold. */
const FOREVER = 2n ** 53n - 1n;

const operationSchema = z
  .object({
    id: z.string(),
    kind: z.string(),
    status: z.enum(["done", "refused"]),
    user: z.string(),
    time: z.string().openapi({ description: "seconds since 1970 with microseconds" }),
    position: pointSchema.nullable(),
    oldRoots: z.array(z.string()),
    newRoots: z.array(z.string()),
    refusal: z.object({ code: z.string(), message: z.string() }).optional(),
  })
  .openapi("Operation");

/** What the proofreading page needs besides the graphene interface. */
export function pageRoutes(api: Endpoints): void {
  const { tables, auth, limits } = api.services;
  let feeds = 0;
  /** Counts a feed from its first reading to its end; one that is never read, as for HEAD, never began. */
  const counted = async function* (events: AsyncGenerator<string>): AsyncGenerator<string> {
    feeds++;
    try {
      yield* events;
    } finally {
      feeds--;
    }
  };

  api.add(
    {
      method: "get",
      path: "/tables",
      summary: "The tables, and where their volumes are",
      answer: z.object({ tables: z.array(z.record(z.string(), z.unknown())) }),
    },
    ({ origin }) => ({ tables: Array.from(tables.values(), (table) => describeTable(table, origin)) }),
  );

  const describeTable = (table: Table, origin: string) => {
    const { settings } = table.graph;
    const tag = volumeTag(auth, table);
    return {
      name: table.name,
      resolution: settings.resolution,
      voxelOffset: settings.voxelOffset,
      size: settings.size,
      ingestTime: Number(settings.ingestTime) / 1e6,
      hasImage: table.image !== undefined,
      graphene: `graphene://${origin}/segmentation/table/${table.name}`,
      objects: `precomputed://${origin}/objects/${table.name}~${tag}`,
      supervoxels: `precomputed://${origin}/data/${table.name}/supervoxels~${tag}`,
      image: table.image && `precomputed://${origin}/data/${table.name}/image~${tag}`,
    };
  };

  api.add(
    {
      method: "get",
      path: "/tables/{table}/operations",
      summary: "Operations with from <= time <= to, oldest first; the newest ones when there are more than limit",
      query: { from: time, to: time, limit: integer(1, limits.operationsPerAnswer) },
      answer: z.object({ operations: z.array(operationSchema), truncated: z.boolean() }),
    },
    async ({ at, query, signal }) => {
      const limit = query.limit ?? limits.operationsPerAnswer;
      // Refusals come after the last commit too, so the present has no upper end.
      const to = at.at(query.to) ?? FOREVER;
      const newest: Operation[] = [];
      let count = 0;
      for await (const operation of at.graph.history.operationsBetween(query.from ?? 0n, to, { signal })) {
        newest[count++ % limit] = operation;
      }
      const oldest = count > limit ? count % limit : 0;
      const ordered = [...newest.slice(oldest), ...newest.slice(0, oldest)];
      return { operations: ordered.map(operationDocument), truncated: count > limit };
    },
  );

  api.add(
    {
      method: "get",
      path: "/tables/{table}/events",
      summary: "Server-sent events: each operation when it is committed; after or Last-Event-ID resume without a gap",
      query: { after: time },
      answer: z.string().openapi({ description: "text/event-stream" }),
    },
    (call) => {
      const after = lastEventId(call.context) ?? call.query.after;
      if (feeds >= limits.feeds) {
        throw new HttpError(409, `${feeds} change feeds are open, as many as this server keeps; close one`);
      }
      const stop = new AbortController();
      const signal = AbortSignal.any([stop.signal, api.services.closing]);
      const stream = textStream(counted(operationEvents(call.at.graph, after, signal)), stop);
      return new Response(stream, {
        headers: { "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Accel-Buffering": "no" },
      });
    },
  );

  api.add(
    {
      method: "get",
      path: "/limits",
      summary: "What the server takes in one request",
      answer: z.record(z.string(), z.int()),
    },
    () => ({ ...limits, ...REQUEST_LIMITS }),
  );
}

/** Answers before any table is asked. */
export function healthRoute(api: Endpoints): void {
  api.add(
    {
      method: "get",
      path: "/health",
      summary: "Whether the server answers",
      answer: z.object({ status: z.literal("ok"), version: z.string(), tables: z.int() }),
    },
    () => ({ status: "ok", version: SERVER_VERSION, tables: api.services.tables.size }),
  );
}

function lastEventId(context: Context): bigint | undefined {
  const id = context.req.header("last-event-id");
  if (id === undefined || id === "") return undefined;
  if (/^[0-9]{1,20}$/.test(id)) return BigInt(id);
  throw new HttpError(400, `Last-Event-ID ${JSON.stringify(id)} was not given by this server`);
}
