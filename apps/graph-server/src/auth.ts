/**
 * Who may ask. Without tokens the server trusts whoever can connect, so it must listen on this machine only, and it
 * refuses what a foreign web page could make a browser send. With tokens every request names one, except for volumes,
 * which stock readers fetch without: their address holds a key derived from the tokens instead.
 * @module
 */
import { createHash, createHmac, timingSafeEqual } from "node:crypto";
import type { HonoRequest, MiddlewareHandler } from "hono";
import type { ServerEnv } from "./http/env.ts";
import { HttpError } from "./http/errors.ts";

export interface Token {
  readonly token: string;
  /** Name that edits made with it carry. */
  readonly user: string;
}

export interface AuthOptions {
  readonly tokens: readonly Token[];
  /** Name of edits when no tokens are set. */
  readonly anonymousUser: string;
  /** Host names (without port) that requests may be addressed to; `undefined`: any. */
  readonly allowedHosts?: ReadonlySet<string> | undefined;
  /** Origins besides the server's own whose pages may edit without a token. */
  readonly allowedOrigins: ReadonlySet<string>;
}

/** Names by which a server on this machine is addressed. */
export const LOOPBACK_HOSTS: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];

export class Auth {
  private readonly options: AuthOptions;
  private readonly digests: readonly { readonly digest: Buffer; readonly user: string }[];

  constructor(options: AuthOptions) {
    this.options = options;
    this.digests = options.tokens.map(({ token, user }) => ({ digest: sha256(token), user }));
  }

  /** Refuses requests to other host names: a page elsewhere could have pointed its own name at this machine. */
  guardHost(): MiddlewareHandler<ServerEnv> {
    return async (context, next) => {
      const { allowedHosts } = this.options;
      const host = (context.req.header("host") ?? new URL(context.req.url).host).replace(/:\d+$/, "").toLowerCase();
      if (allowedHosts !== undefined && !allowedHosts.has(host)) {
        throw new HttpError(403, `this server does not answer for host "${host}"; set its public URL to allow it`);
      }
      await next();
    };
  }

  /** Sets the request's user. @throws HttpError 401 */
  requireUser(): MiddlewareHandler<ServerEnv> {
    return async (context, next) => {
      context.set("user", this.userOf(context.req));
      await next();
    };
  }

  /** The name behind a request. @throws HttpError 401 when tokens are set and the request has none of them */
  userOf(request: HonoRequest): string {
    if (this.digests.length === 0) return this.options.anonymousUser;
    const given = presentedToken(request);
    if (given !== undefined) {
      const digest = sha256(given);
      for (const known of this.digests) if (timingSafeEqual(digest, known.digest)) return known.user;
    }
    const message = given === undefined ? "this server needs a token" : "this token is not known here";
    throw new HttpError(401, `${message}; send it as "Authorization: Bearer TOKEN"`, {
      headers: { "WWW-Authenticate": 'Bearer realm="pcg"' },
    });
  }

  /**
   * Refuses an edit that a page of another origin sent without a token of its own: browsers send such POSTs without asking
   * first, and add cookies by themselves.
   * @throws HttpError 403
   */
  guardEdit(request: HonoRequest, ownOrigin: string): void {
    const origin = request.header("origin");
    if (origin === undefined || bearerToken(request) !== undefined) return;
    if (origin === ownOrigin || origin === new URL(request.url).origin || this.options.allowedOrigins.has(origin))
      return;
    throw new HttpError(
      403,
      `pages of ${origin} may not edit here; start the server with --allow-origin ${origin}, or set a token`,
    );
  }

  /** The key in a volume's address; empty when no tokens are set. */
  volumeKey(subject: string): string {
    if (this.options.tokens.length === 0) return "";
    const secret = this.options.tokens
      .map(({ token }) => token)
      .sort()
      .join("\n");
    return createHmac("sha256", secret).update(subject).digest("base64url").slice(0, 22);
  }
}

function bearerToken(request: HonoRequest): string | undefined {
  return /^Bearer\s+(.+)$/i.exec(request.header("authorization") ?? "")?.[1]?.trim();
}

function presentedToken(request: HonoRequest): string | undefined {
  const bearer = bearerToken(request);
  if (bearer !== undefined) return bearer;
  const cookie = /(?:^|;\s*)middle_auth_token="?([^";]*)"?/.exec(request.header("cookie") ?? "")?.[1];
  return cookie ?? request.query("middle_auth_token");
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
