import type { KvStore } from "../contract.ts";
import type { KvDrivers } from "../open.ts";
import { withPrefix } from "../prefix.ts";
import { badSpec, checkMembers, checkSpecMembers, type KvStoreSpecObject } from "../spec.ts";
import { type FileDriverOptions, fileKvStore } from "./store.ts";

/** Members of TensorStore's spec that change no result, and nothing here. */
const tuning = ["file_io_concurrency", "file_io_mode"];

/**
 * Driver of `file:///dir/`, of bare paths, which are resolved against the working directory, and of
 * `{"driver": "file", "path": "/dir/"}`, whose `file_io_sync` and `file_io_locking` go before `options`.
 */
export function fileDriver(options: FileDriverOptions = {}): KvDrivers {
  return {
    file: { openBase: (base) => fileKvStore(base.path, options), openSpec: (spec) => openSpec(spec, options) },
  };
}

function openSpec(spec: KvStoreSpecObject, options: FileDriverOptions): KvStore {
  checkSpecMembers(spec, ["file_io_sync", "file_io_locking", ...tuning]);
  const { path = "", file_io_sync: sync, file_io_locking: locking } = spec;
  if (path === "" || path.includes("\0")) throw badSpec(spec, `"path" must be a path, not ${JSON.stringify(path)}`);
  if (sync !== undefined && typeof sync !== "boolean") throw badSpec(spec, '"file_io_sync" must be true or false');
  const end = path.lastIndexOf("/") + 1;
  const store = fileKvStore(path.slice(0, end) || ".", {
    ...options,
    ...(sync === undefined ? {} : { fsync: sync }),
    ...(locking === undefined ? {} : { locking: readLocking(spec, locking) }),
  });
  return end === path.length ? store : withPrefix(store, path.slice(end));
}

/** The time limit of TensorStore's locks has no counterpart here: waiting ends with the caller's signal. */
function readLocking(spec: KvStoreSpecObject, locking: unknown): "os" | "lockfile" {
  if (typeof locking === "object" && locking !== null) {
    checkMembers(spec, locking, ["mode", "acquire_timeout"], '"file_io_locking"');
    const { mode = "os" } = locking as { mode?: unknown };
    if (mode === "os" || mode === "lockfile") return mode;
  }
  throw badSpec(
    spec,
    `"file_io_locking" must be {"mode": "os"} or {"mode": "lockfile"}, not ${JSON.stringify(locking)}`,
  );
}
