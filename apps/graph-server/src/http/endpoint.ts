/**
 * One route = one description (method, path, parameters, body, answer) and one handler. The description is both the
 * validation and the OpenAPI document; the handler gets checked values and returns an answer.
 * @module
 */
import { type OpenAPIHono, type RouteConfig, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import type { Auth } from "../auth.ts";
import type { Limits } from "../limits.ts";
import { findTable, type TableAt, type Tables } from "../tables.ts";
import { readBody } from "./body.ts";
import type { ServerEnv } from "./env.ts";
import { HttpError } from "./errors.ts";
import type { JsonOut } from "./json-write.ts";
import { publicOrigin } from "./origin.ts";
import { type Payload, parseId } from "./payload.ts";
import { flag } from "./query.ts";
import { Answer, toResponse } from "./respond.ts";

type QueryShape = Readonly<Record<string, z.ZodType>>;

/** What the routes work with. */
export interface Services {
  readonly tables: Tables;
  readonly auth: Auth;
  readonly limits: Limits;
  readonly publicUrl: string | undefined;
  /** Microseconds since 1970. */
  readonly now: () => bigint;
  /** Aborted when the server stops: change feeds end then. */
  readonly closing: AbortSignal;
}

export interface EndpointSpec<Query extends QueryShape, Body> {
  readonly method: "get" | "post";
  /** As OpenAPI writes it, e.g. `/node/{id}/root`; `{table}` and `{id}` are checked here. */
  readonly path: string;
  readonly summary: string;
  readonly query?: Query;
  readonly body?: Payload<Body>;
  /** Changes the graph: refused on pinned tables and from foreign pages. */
  readonly edits?: true;
  /** Schema of the JSON answer; `binary` for raw ids, `refusal` when there is none. */
  readonly answer: z.ZodType | "binary" | "refusal";
}

/** A checked request. */
export interface Call<Query extends QueryShape, Body> {
  readonly context: Context<ServerEnv>;
  /** The table of `{table}`. */
  readonly at: TableAt;
  /** The id of `{id}`. */
  readonly id: bigint;
  readonly query: { readonly [K in keyof Query]: z.infer<Query[K]> };
  readonly body: Body;
  readonly user: string;
  /** The server's address as the client sees it. */
  readonly origin: string;
  /** Aborted when the client goes away. */
  readonly signal: AbortSignal;
}

/** What a handler may return: a JSON document, or an answer it made itself. */
export type Result = JsonOut | Answer | Response;

/** Adds endpoints to an app below a common path. */
export class Endpoints {
  readonly services: Services;
  private readonly app: OpenAPIHono<ServerEnv>;
  private readonly base: string;

  constructor(app: OpenAPIHono<ServerEnv>, services: Services, base: string) {
    this.app = app;
    this.services = services;
    this.base = base;
  }

  add<Body = undefined, Query extends QueryShape = Record<never, never>>(
    spec: EndpointSpec<Query, Body>,
    handler: (call: Call<Query, Body>) => Promise<Result> | Result,
  ): void {
    const path = this.base + spec.path;
    this.app.openAPIRegistry.registerPath(describe(spec, path));
    const query = z.object({ ...spec.query, int64_as_str: flag });
    this.app.on(spec.method.toUpperCase(), path.replaceAll(/\{(\w+)\}/g, ":$1"), async (context) => {
      const call = await this.check(context, spec, query);
      const result = await handler(call.call);
      if (result instanceof Response) return result;
      const answer = result instanceof Answer ? result : Answer.json(result, { idsAsStrings: call.idsAsStrings });
      return toResponse(answer, context.req.header("accept-encoding"));
    });
  }

  private async check<Query extends QueryShape, Body>(
    context: Context<ServerEnv>,
    spec: EndpointSpec<Query, Body>,
    schema: z.ZodObject,
  ): Promise<{ call: Call<Query, Body>; idsAsStrings: boolean }> {
    const { tables, auth, limits, publicUrl } = this.services;
    const origin = publicOrigin(context.req, publicUrl);
    const table = context.req.param("table");
    const at = table === undefined ? undefined : findTable(tables, table);
    if (spec.edits) {
      at?.requirePresent();
      auth.guardEdit(context.req, new URL(origin).origin);
    }
    const parsed = schema.safeParse(context.req.query());
    if (!parsed.success) {
      const issue = parsed.error.issues[0]!;
      throw new HttpError(400, `parameter ${issue.path.join(".")}: ${issue.message}`);
    }
    const { int64_as_str: idsAsStrings, ...query } = parsed.data as { int64_as_str: boolean };
    const id = context.req.param("id");
    const body = spec.body?.decode(
      await readBody({ incoming: context.env?.incoming, request: context.req.raw }, limits.bodyBytes),
    );
    const call = {
      context,
      at: at as TableAt,
      id: id === undefined ? 0n : parseId(id, "the id in the path"),
      query: query as Call<Query, Body>["query"],
      body: body as Body,
      user: context.get("user"),
      origin,
      signal: context.req.raw.signal,
    };
    return { call, idsAsStrings };
  }
}

const errorSchema = z
  .object({ code: z.int(), message: z.string(), reason: z.string().optional() })
  .openapi("Error", { description: "what was wrong and what to do about it" });

function describe<Query extends QueryShape, Body>(spec: EndpointSpec<Query, Body>, path: string): RouteConfig {
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1]!);
  return {
    method: spec.method,
    path,
    summary: spec.summary,
    request: {
      params: z.object(Object.fromEntries(names.map((name) => [name, z.string()]))),
      query: z.object({ ...spec.query, int64_as_str: flag }),
      ...(spec.body && { body: { content: { [spec.body.contentType]: { schema: spec.body.schema } } } }),
    },
    responses: {
      ...(spec.answer !== "refusal" && { 200: { description: "OK", content: answerContent(spec.answer) } }),
      default: { description: "refused", content: { "application/json": { schema: errorSchema } } },
    },
  };
}

function answerContent(answer: z.ZodType | "binary"): Record<string, { schema: z.ZodType }> {
  if (answer !== "binary") return { "application/json": { schema: answer } };
  return { "application/octet-stream": { schema: z.string().openapi({ format: "binary" }) } };
}
