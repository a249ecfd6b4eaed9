import type { HonoRequest } from "hono";
import { HttpError } from "./errors.ts";

/**
 * The server's address as this client sees it, without a final slash: the configured one, else what a proxy says it was
 * asked for, else the request's own host.
 * @throws HttpError 400 when that is no address
 */
export function publicOrigin(request: HonoRequest, configured: string | undefined): string {
  if (configured !== undefined) return configured.replace(/\/+$/, "");
  const url = new URL(request.url);
  const scheme = first(request.header("x-forwarded-proto")) ?? url.protocol.slice(0, -1);
  const host = first(request.header("x-forwarded-host")) ?? url.host;
  const prefix = (first(request.header("x-forwarded-prefix")) ?? "").replace(/\/+$/, "");
  const origin = `${scheme}://${host}`;
  if (!/^https?$/.test(scheme) || !URL.canParse(origin) || new URL(origin).host === "") {
    throw new HttpError(
      400,
      `${JSON.stringify(origin)} is no address; a proxy in front of this server must send valid X-Forwarded headers`,
    );
  }
  return origin + prefix;
}

function first(header: string | undefined): string | undefined {
  const value = header?.split(",")[0]?.trim();
  return value === "" ? undefined : value;
}
