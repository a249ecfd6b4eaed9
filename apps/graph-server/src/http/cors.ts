import type { MiddlewareHandler } from "hono";

const EXPOSED = "WWW-Authenticate, Content-Range, ETag, Used-Bounds, X-Pcg-Version";

/** Lets pages of other origins read: every answer, errors included, carries the headers a browser asks for. */
export function cors(): MiddlewareHandler {
  return async (context, next) => {
    if (context.req.method === "OPTIONS") {
      return new Response(null, {
        status: 204,
        headers: {
          "Access-Control-Allow-Origin": "*",
          "Access-Control-Allow-Methods": "GET, HEAD, POST, OPTIONS",
          "Access-Control-Allow-Headers": "Authorization, Content-Type, Content-Encoding, If-None-Match, Range",
          "Access-Control-Max-Age": "86400",
        },
      });
    }
    await next();
    withCors(context.res);
  };
}

/** Marks an answer as one that every page may read. */
export function withCors(response: Response): Response {
  response.headers.set("Access-Control-Allow-Origin", "*");
  response.headers.set("Access-Control-Expose-Headers", EXPOSED);
  return response;
}
