import { createHash } from "node:crypto";
import type { OpenAPIHono } from "@hono/zod-openapi";
import { isKvStoreError, type KvStore, resolveByteRange } from "@pcg/kvstore";
import type { Context } from "hono";
import type { Services } from "../http/endpoint.ts";
import type { ServerEnv } from "../http/env.ts";
import { HttpError } from "../http/errors.ts";
import { type FileOptions, fileResponse, knownTag, requestedRange, unchanged } from "../http/file-answer.ts";
import { ObjectChunks } from "../objects.ts";
import { chunkShapeAt, supervoxelVolume } from "../supervoxel-volume.ts";
import { findTagged, splitTag } from "../volume-address.ts";

/**
 * Plain precomputed volumes, for any reader of the format: `/data/{table}/supervoxels` and `/data/{table}/image` as they
 * are stored, `/objects/{table}` with the root of each voxel, `/objects/{table}@{time}` as it was. The last part of the
 * address may carry a tag (`supervoxels~TAG`, `{table}~TAG`), see {@link splitTag}.
 */
export function volumeRoutes(app: OpenAPIHono<ServerEnv>, services: Services): void {
  const { tables, auth } = services;
  const objects = new ObjectChunks(services.limits.objectCacheBytes);

  app.get("/data/:table/:layer/:path{.+}", async (context) => {
    const { name, tag } = splitTag(context.req.param("layer"));
    if (tag === undefined) auth.userOf(context.req);
    const { table } = findTagged(tables, auth, context.req.param("table"), tag);
    const store = name === "supervoxels" ? table.supervoxels : name === "image" ? table.image : undefined;
    if (store === undefined) throw new HttpError(404, `table "${table.name}" has no volume "${name}"`);
    const path = filePath(context.req.param("path"));
    // Chunks of images are compressed as they are stored, mostly.
    const kind = { versioned: tag !== undefined, compressible: name === "supervoxels" && path !== "info" };
    return sendStored(context, store, path, kind);
  });

  app.get("/objects/:table/:path{.+}", async (context) => {
    const { name, tag } = splitTag(context.req.param("table"));
    if (tag === undefined) auth.userOf(context.req);
    const at = findTagged(tables, auth, name, tag);
    const store = at.table.supervoxels;
    const volume = await supervoxelVolume(store);
    const path = filePath(context.req.param("path"));
    const immutable = tag !== undefined && at.pin !== undefined && at.pin <= (await at.graph.settledTime());
    if (path === "info") {
      const info = Buffer.from(JSON.stringify(volume.info));
      const etag = createHash("sha1").update(info).digest("base64url");
      const options = { contentType: "application/json", etag, immutable: false, compressible: false };
      return sendBytes(context, info, options);
    }
    const shape = chunkShapeAt(volume, path);
    const chunk = await objects.read(store, volume, path, shape, await at.view(), {
      knows: (etag) => knownTag(context.req, etag),
      signal: context.req.raw.signal,
    });
    if (chunk === undefined) throw absent(path);
    const options = { contentType: "application/octet-stream", immutable, compressible: true };
    if ("unchanged" in chunk) return unchanged({ ...options, etag: chunk.unchanged });
    return sendBytes(context, chunk.bytes, { ...options, etag: chunk.etag });
  });
}

async function sendStored(
  context: Context,
  store: KvStore,
  path: string,
  { versioned, compressible }: { readonly versioned: boolean; readonly compressible: boolean },
): Promise<Response> {
  const range = requestedRange(context.req);
  const { signal } = context.req.raw;
  const stored = await store.read(path, { signal, ...(range && { range }) }).catch((error: unknown) => {
    // A name no file can have is the name of no file.
    if (isKvStoreError(error, "bad-key")) return undefined;
    throw error;
  });
  if (stored === undefined) throw absent(path);
  const options: FileOptions = {
    contentType: path === "info" ? "application/json" : "application/octet-stream",
    etag: Buffer.from(stored.generation).toString("base64url"),
    immutable: versioned && path !== "info",
    compressible,
  };
  const known = knownTag(context.req, options.etag);
  if (known !== undefined) return unchanged({ ...options, etag: known });
  return fileResponse(context.req, stored.value, range, stored.size, options);
}

/** Bytes at hand, or the part of them the request asks for. */
async function sendBytes(context: Context, bytes: Uint8Array, options: FileOptions): Promise<Response> {
  const known = knownTag(context.req, options.etag);
  if (known !== undefined) return unchanged({ ...options, etag: known });
  const range = requestedRange(context.req);
  const { start, end } = resolveByteRange(range, bytes.length);
  return fileResponse(context.req, bytes.subarray(start, end), range, bytes.length, options);
}

/** The file's key: repeated slashes are one, and no part may lead elsewhere. */
function filePath(path: string): string {
  const parts = path.split("/").filter((part) => part !== "");
  if (parts.some((part) => part === "." || part === "..") || path.includes("\0")) throw absent(path);
  return parts.join("/");
}

/** 404 and nothing else: readers take other statuses for a passing fault and try again for minutes. */
function absent(path: string): HttpError {
  return new HttpError(404, `there is no file ${JSON.stringify(path)} in this volume`);
}
