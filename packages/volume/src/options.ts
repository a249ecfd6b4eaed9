import type { MemoryLimits } from "./array/limits.ts";

/** Options of opening a volume in a store, whatever the format. */
export interface OpenFormatOptions {
  /** Allow `write`. Default false. */
  readonly writable?: boolean;
  /** Bounds on memory, in bytes; those left out have their defaults. */
  readonly limits?: Partial<MemoryLimits>;
  /** What the volume calls itself. Default: the store's URL with the format. */
  readonly url?: string;
  readonly signal?: AbortSignal;
}
