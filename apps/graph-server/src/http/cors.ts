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
    context.res.headers.set("Access-Control-Allow-Origin", "*");
    context.res.headers.set("Access-Control-Expose-Headers", EXPOSED);
  };
}
