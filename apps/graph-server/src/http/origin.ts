import type { HonoRequest } from "hono";

/**
 * The server's address as this client sees it, without a final slash: the configured one, else what a proxy says it was
 * asked for, else the request's own host.
 */
export function publicOrigin(request: HonoRequest, configured: string | undefined): string {
  if (configured !== undefined) return configured.replace(/\/+$/, "");
  const url = new URL(request.url);
  const scheme = first(request.header("x-forwarded-proto")) ?? url.protocol.slice(0, -1);
  const host = first(request.header("x-forwarded-host")) ?? url.host;
  const prefix = (first(request.header("x-forwarded-prefix")) ?? "").replace(/\/+$/, "");
  return `${scheme}://${host}${prefix}`;
}

function first(header: string | undefined): string | undefined {
  const value = header?.split(",")[0]?.trim();
  return value === "" ? undefined : value;
}
