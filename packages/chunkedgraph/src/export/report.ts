import type { Xyz } from "@pcg/volume";
import type { Time } from "../contract.ts";

/** What an export wrote. */
export interface ExportReport {
  /** URL of the volume. */
  readonly url: string;
  /** The state that was exported: that of the last edit up to the time asked for. */
  readonly time: Time;
  readonly size: Xyz;
  readonly chunkSize: Xyz;
  readonly chunks: number;
  readonly voxels: number;
  /** Distinct roots; only known when nothing was left out because an earlier run had written it. */
  readonly objects?: number;
  readonly outcome: "new" | "resumed" | "nothing to do";
  readonly seconds: number;
  /** Of this run. */
  readonly voxelsPerSecond: number;
}
