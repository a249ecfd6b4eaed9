import type { Key } from "../contract.ts";
import { KvStoreError, type KvStoreErrorCode } from "../errors.ts";
import { printKey } from "../keys.ts";

const codes: Readonly<Record<string, KvStoreErrorCode>> = {
  EACCES: "permission",
  EPERM: "permission",
  EROFS: "read-only",
  ENAMETOOLONG: "bad-key",
  EISDIR: "bad-key",
  ENOTDIR: "bad-key",
  EAGAIN: "transient",
  EBUSY: "transient",
  EMFILE: "transient",
  ENFILE: "transient",
  EINTR: "transient",
};

/** The `code` of a system error, or `undefined`. */
export function systemCode(error: unknown): string | undefined {
  return error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
}

/** A system error as a `KvStoreError`; anything else (abort reasons, our own errors) as it is. */
export function translate(error: unknown, action: string, url: string, key?: Key): unknown {
  const system = systemCode(error);
  if (!(error instanceof Error) || system === undefined || !("syscall" in error)) return error;
  const what = key === undefined ? url : `${printKey(key)} in ${url}`;
  const hint = hints[system] ?? "";
  return new KvStoreError(codes[system] ?? "failed", `cannot ${action} ${what}: ${error.message}${hint}`, {
    url,
    ...(key === undefined ? {} : { key: printKey(key) }),
    cause: error,
  });
}

const hints: Readonly<Record<string, string>> = {
  ENOSPC: "; free some disk space, nothing was changed",
  EISDIR: "; a folder of that name exists, because other keys begin with this one and a slash",
  ENOTDIR: "; a shorter key is a file where this key needs a folder",
};
