import type { RowStore } from "@pcg/rowstore";
import type { GraphSettings } from "../contract.ts";
import type { ChunkGrid, IdLayout } from "../ids.ts";
import type { EdgeReader } from "./chunk-edges.ts";
import type { PlaceCache } from "./place-cache.ts";

/** What all views of a graph share. */
export interface ViewContext {
  readonly rows: RowStore;
  readonly settings: GraphSettings;
  readonly layout: IdLayout;
  readonly grid: ChunkGrid;
  readonly places: PlaceCache;
  readonly edges: EdgeReader;
}
