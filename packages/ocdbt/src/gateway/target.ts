/**
 * What the path of a request names: `<name>/<version>/ocdbt/<file>` or `<name>/<version>/files/<key>`.
 *
 * Versions are `head`, `v12`, a time (`2026-04-24T00:00:00Z`), or a tag. Keys are bytes, percent-encoded where they are not
 * plain characters.
 * @module
 */
import type { VersionSpec } from "../contract.ts";
import { MANIFEST_KEY } from "../format/index.ts";
import { parseVersionText } from "../view/version-spec.ts";
import { GatewayError } from "./errors.ts";

export type Target =
  | { readonly kind: "manifest"; readonly name: string; readonly version: VersionSpec | "head" }
  | { readonly kind: "data"; readonly name: string; readonly key: Uint8Array }
  | { readonly kind: "file"; readonly name: string; readonly version: VersionSpec | "head"; readonly key: Uint8Array };

/** @throws {@link GatewayError} 400 or 404 */
export function parseTarget(pathname: string, basePath: string): Target {
  if (!pathname.startsWith(basePath)) throw nothingHere("the path does not begin with that of the gateway");
  const parts = pathname.slice(basePath.length).split("/");
  if (parts.length < 4) throw nothingHere("paths are <name>/<version>/ocdbt/… and <name>/<version>/files/…");
  const name = text(parts[0]!);
  const versionText = text(parts[1]!);
  const version = versionText === "head" ? versionText : parseVersionText(versionText);
  const key = bytesOf(parts.slice(3).join("/"));
  if (parts[2] === "files") return { kind: "file", name, version, key };
  if (parts[2] !== "ocdbt") throw nothingHere(`"${parts[2]}" is neither ocdbt nor files`);
  const path = Array.from(key, (byte) => String.fromCharCode(byte)).join("");
  if (path === MANIFEST_KEY) return { kind: "manifest", name, version };
  if (isDataFile(path)) return { kind: "data", name, key };
  throw nothingHere("an OCDBT folder has manifest.ocdbt and data files, nothing else is served");
}

/**
 * Data files have 32 hexadecimal digits at the end of their names, whatever stands before. Nothing else of the store below
 * is shown, and nothing outside of it can be named.
 */
function isDataFile(path: string): boolean {
  if (!/[0-9a-f]{32}$/.test(path) || /[\\\0]/.test(path)) return false;
  return path.split("/").every((segment) => segment !== "" && segment !== "." && segment !== "..");
}

function text(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch (cause) {
    if (cause instanceof URIError) throw new GatewayError(400, "bad-path", `"${part}" has a malformed %-escape`);
    throw cause;
  }
}

/** The bytes of a percent-encoded path; URLs have none but ASCII characters. */
function bytesOf(path: string): Uint8Array {
  const bytes = new Uint8Array(path.length);
  let length = 0;
  for (let i = 0; i < path.length; i++) {
    if (path[i] !== "%") {
      bytes[length++] = path.charCodeAt(i);
      continue;
    }
    const digits = path.slice(i + 1, i + 3);
    if (!/^[0-9A-Fa-f]{2}$/.test(digits)) {
      throw new GatewayError(400, "bad-path", `the path has a malformed %-escape at character ${i}`);
    }
    bytes[length++] = Number.parseInt(digits, 16);
    i += 2;
  }
  return bytes.slice(0, length);
}

function nothingHere(why: string): GatewayError {
  return new GatewayError(404, "not-found", `nothing is served here: ${why}`);
}
