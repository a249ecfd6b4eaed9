/**
 * What a database can be opened with, and the check of it.
 * @module
 */
import type { KvDrivers, KvStore } from "@pcg/kvstore";
import { type ConfigRequest, checkNames, checkRequest } from "./config-json.ts";
import type { Committer } from "./contract.ts";
import { OcdbtError } from "./errors.ts";
import { type DataPrefixes, DEFAULT_PREFIXES } from "./io/data-file-writer.ts";
import type { DatabaseParts } from "./parts.ts";

export interface OpenOptions {
  /** Of a new database; of one that exists each member must be as stored. */
  readonly config?: ConfigRequest;
  /** `false`: it is an error if there is no database. Otherwise it is empty, and the first commit makes it. */
  readonly create?: boolean;
  /**
   * Where all lies that belongs to this database alone: its manifests, and `refs/` and `coordinator/` beside them. Several databases may then share the
   * data files of one store; `sweep` has to be told which are this one's. In the store itself unless told. Closed with the database.
   */
  readonly manifestStore?: KvStore;
  /** What the names of new data files begin with: one text for all, or one a kind; `d/` unless told. */
  readonly dataPrefix?: string | Partial<DataPrefixes>;
  /** A data file that has reached this size is followed by another; 64 MiB unless told, which bounds memory. */
  readonly targetDataFileBytes?: number;
  /** Decoded nodes kept in memory; 128 MiB unless told. */
  readonly cacheBytes?: number;
  /**
   * Nodes on their way from the store: bytes of those that are read, and memory of those that are decoded at a time; 64 MiB each unless
   * told. A larger node, up to the format's 256 MiB, goes alone.
   */
  readonly decodeBytes?: number;
  /** How old, ms, an answer may be; 0 unless told: each read asks whether there is a newer version. */
  readonly maxStalenessMs?: number;
  /** Requests to the base store at a time; unless told 32, or 4096 of a store that makes few requests of many (`batchesReads`). */
  readonly concurrency?: number;
  /** Values a transaction keeps in memory before it uploads them; 64 MiB unless told. */
  readonly maxStagedBytes?: number;
  /** How far, ms, the newest version may lie ahead of this machine's clock for a commit to be made. Any distance unless told. */
  readonly maxClockSkewMs?: number;
  /** ns since the epoch; the system's clock unless told. */
  readonly now?: () => bigint;
  /** Puts another committer in the place of the direct one, which it may use; it closes that one. */
  readonly committer?: (direct: Committer, parts: Omit<DatabaseParts, "committer">) => Committer | Promise<Committer>;
  readonly signal?: AbortSignal;
}

/** With a URL come the drivers that can open it. */
export type OpenUrlOptions = OpenOptions & { readonly drivers: KvDrivers };

/** The least of each option that is a number; none has more than 2^53. */
const LEAST = {
  cacheBytes: 0,
  concurrency: 1,
  decodeBytes: 1,
  maxClockSkewMs: 0,
  maxStagedBytes: 0,
  maxStalenessMs: 0,
  targetDataFileBytes: 1,
} satisfies Partial<Record<keyof OpenOptions, number>>;

const OTHERS: Readonly<Record<Exclude<keyof OpenUrlOptions, keyof typeof LEAST>, true>> = {
  committer: true,
  config: true,
  create: true,
  dataPrefix: true,
  drivers: true,
  manifestStore: true,
  now: true,
  signal: true,
};

/** What the names of a database's own files begin with. */
export const OWN_PREFIXES: readonly string[] = ["manifest.", "refs/", "coordinator/"];

/** @throws `OcdbtError` `bad-spec` for an option that is not known, or whose value means nothing. */
export function checkOptions(options: Partial<OpenUrlOptions>): void {
  checkNames("option", options, { ...OTHERS, ...LEAST });
  for (const [name, least] of Object.entries(LEAST) as [keyof typeof LEAST, number][]) {
    const value = options[name];
    if (value === undefined || (typeof value === "number" && value >= least)) continue;
    throw bad(name, value, `a number, ${least} or more`);
  }
  const { dataPrefix = {} } = options;
  if (typeof dataPrefix !== "string" && typeof dataPrefix !== "object") {
    throw bad("dataPrefix", dataPrefix, "text, or an object with one for each kind");
  }
  for (const [kind, prefix] of Object.entries(dataPrefixes(dataPrefix))) {
    const taken = OWN_PREFIXES.find((own) => String(prefix).startsWith(own));
    if (typeof prefix === "string" && taken === undefined) continue;
    throw bad(
      `dataPrefix (${kind})`,
      prefix,
      taken ? `no text that begins with ${taken}, where other files lie` : "text",
    );
  }
  checkRequest(options.config ?? {});
}

/** For each kind of data what the names of its files begin with. */
export function dataPrefixes(prefix: OpenOptions["dataPrefix"] = {}): DataPrefixes {
  if (typeof prefix !== "string") return { ...DEFAULT_PREFIXES, ...prefix };
  return { value: prefix, btree: prefix, "version-tree": prefix };
}

function bad(name: string, value: unknown, expected: string): OcdbtError {
  const shown = typeof value === "string" ? JSON.stringify(value) : String(value);
  return new OcdbtError("bad-spec", `${name} is ${shown}, expected ${expected}`, { fields: { name, value: shown } });
}
