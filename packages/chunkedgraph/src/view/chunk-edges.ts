/**
 * The supervoxel edges kept in a chunk's row, as they were at a time: the blocks of the ingest with the edits laid over.
 * @module
 */
import type { Row, RowStore } from "@pcg/rowstore";
import type { SupervoxelEdges, Time } from "../contract.ts";
import type { IdLayout } from "../ids.ts";
import {
  BLOCK_FAMILY,
  decodeEdgeEdit,
  decodeEdges,
  EDIT_FAMILY,
  type EdgeEdit,
  edgesKeys,
  idOfKey,
  readEditColumn,
} from "../rows/index.ts";

/** Bytes of an edge in memory: two ids, affinity, area, flag. */
const EDGE_BYTES = 29;

/** The edges of a row; the row must hold the newest cell of each column as of the wanted time. */
export function edgesOfRow(layout: IdLayout, row: Row): SupervoxelEdges {
  const blocks: SupervoxelEdges[] = [];
  const edits = new Map<string, EditedEdge>();
  const chunk = idOfKey(row.key);
  for (const cell of row.cells) {
    if (cell.family === BLOCK_FAMILY) blocks.push(decodeEdges(layout, chunk, cell.value));
    else addEdit(edits, cell.qualifier, cell.value);
  }
  return withEdits(joined(blocks), edits);
}

/** Reads chunks' edges, remembering the ingest blocks, which never change, up to a number of bytes. */
export class EdgeReader {
  private readonly rows: RowStore;
  private readonly layout: IdLayout;
  private readonly maxBytes: number;
  private readonly blocks = new Map<bigint, SupervoxelEdges>();
  private bytes = 0;

  constructor(rows: RowStore, layout: IdLayout, maxBytes: number) {
    this.rows = rows;
    this.layout = layout;
    this.maxBytes = maxBytes;
  }

  /** The edges of each of the layer-1 chunks (distinct, ascending). The arrays are shared: read only. */
  async read(chunks: BigUint64Array, time: Time, signal?: AbortSignal): Promise<SupervoxelEdges[]> {
    const found = new Map<bigint, SupervoxelEdges>();
    const unknown: bigint[] = [];
    for (const chunk of chunks) {
      const known = this.blocks.get(chunk);
      if (known === undefined) unknown.push(chunk);
      else {
        found.set(chunk, known);
        this.blocks.delete(chunk);
        this.blocks.set(chunk, known);
      }
    }
    const aborting = signal === undefined ? {} : { signal };
    if (unknown.length > 0) {
      const keys = edgesKeys(BigUint64Array.from(unknown));
      for await (const row of this.rows.read({ keys }, { columns: [{ family: BLOCK_FAMILY }], ...aborting })) {
        const chunk = idOfKey(row.key);
        found.set(chunk, joined(row.cells.map((cell) => decodeEdges(this.layout, chunk, cell.value))));
      }
      for (const chunk of unknown) {
        const edges = found.get(chunk) ?? joined([]);
        found.set(chunk, edges);
        this.remember(chunk, edges);
      }
    }
    const wanted = { columns: [{ family: EDIT_FAMILY }], to: time + 1n, versions: 1, ...aborting };
    for await (const row of this.rows.read({ keys: edgesKeys(chunks) }, wanted)) {
      const chunk = idOfKey(row.key);
      const edits = new Map<string, EditedEdge>();
      for (const cell of row.cells) addEdit(edits, cell.qualifier, cell.value);
      found.set(chunk, withEdits(found.get(chunk)!, edits));
    }
    return Array.from(chunks, (chunk) => found.get(chunk)!);
  }

  private remember(chunk: bigint, edges: SupervoxelEdges): void {
    if (this.blocks.has(chunk)) return;
    this.blocks.set(chunk, edges);
    this.bytes += sizeOf(edges);
    for (const [oldest, old] of this.blocks) {
      if (this.bytes <= this.maxBytes) break;
      this.blocks.delete(oldest);
      this.bytes -= sizeOf(old);
    }
  }
}

interface EditedEdge extends EdgeEdit {
  readonly smaller: bigint;
  readonly larger: bigint;
}

function addEdit(edits: Map<string, EditedEdge>, qualifier: Uint8Array, value: Uint8Array): void {
  const [smaller, larger] = readEditColumn(qualifier);
  edits.set(`${smaller} ${larger}`, { smaller, larger, ...decodeEdgeEdit(value) });
}

/** The edges with the edited ones active; an edge that the ingest did not know comes after the others. */
function withEdits(edges: SupervoxelEdges, edits: Map<string, EditedEdge>): SupervoxelEdges {
  if (edits.size === 0) return edges;
  const edited = { ...edges, active: edges.active.slice() };
  const ends = new Set<bigint>();
  for (const edit of edits.values()) ends.add(edit.smaller);
  const { pairs, active } = edited;
  for (let e = 0; e < active.length; e++) {
    const smaller = pairs[2 * e]!;
    if (!ends.has(smaller)) continue;
    if (edits.delete(`${smaller} ${pairs[2 * e + 1]}`)) active[e] = 1;
  }
  const added = [...edits.values()];
  return joined([
    edited,
    {
      pairs: BigUint64Array.from(added.flatMap((edit) => [edit.smaller, edit.larger])),
      affinities: Float32Array.from(added, (edit) => edit.affinity),
      areas: BigUint64Array.from(added, (edit) => edit.area),
      active: new Uint8Array(added.length).fill(1),
    },
  ]);
}

function joined(blocks: readonly SupervoxelEdges[]): SupervoxelEdges {
  if (blocks.length === 1) return blocks[0]!;
  let count = 0;
  for (const block of blocks) count += block.active.length;
  const all = {
    pairs: new BigUint64Array(2 * count),
    affinities: new Float32Array(count),
    areas: new BigUint64Array(count),
    active: new Uint8Array(count),
  };
  let at = 0;
  for (const block of blocks) {
    all.pairs.set(block.pairs, 2 * at);
    all.affinities.set(block.affinities, at);
    all.areas.set(block.areas, at);
    all.active.set(block.active, at);
    at += block.active.length;
  }
  return all;
}

function sizeOf(edges: SupervoxelEdges): number {
  return 200 + edges.active.length * EDGE_BYTES;
}
