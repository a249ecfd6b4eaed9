import type { RowMutation } from "@pcg/rowstore";
import type { GraphSettings } from "../contract.ts";
import { IdLayout, layerOf, sortedDistinct } from "../ids.ts";
import { CHILDREN, crossColumn, nodeKey, PARENT, packId, packIds } from "../rows/index.ts";
import { forEachCrossSet, type NodeTable } from "./node-table.ts";
import type { Parents } from "./parents.ts";
import { ingestRow } from "./task-log.ts";

type IngestCell = Parameters<typeof ingestRow>[1][number];

/** Collects the rows of new nodes of one chunk. */
export class NodeRows {
  readonly rows: RowMutation[] = [];
  private readonly settings: GraphSettings;
  private readonly rootChunk: bigint;
  private readonly objectOf: Uint32Array;

  /** @param objectOf the object of each supervoxel of the volume, from 0 up. */
  constructor(settings: GraphSettings, objectOf: Uint32Array) {
    this.settings = settings;
    this.rootChunk = new IdLayout(settings.layers, settings.spatialBits).chunkId(settings.layers, [0, 0, 0]);
    this.objectOf = objectOf;
  }

  /** Rows that name the parents of existing nodes. */
  addParents({ children, parents }: Parents): void {
    for (let i = 0; i < children.length; i++) {
      this.add(children[i]!, [{ column: PARENT, value: packId(parents[i]!) }]);
    }
  }

  /**
   * Rows of the parents among the table's nodes, and of the roots of those that reach no further.
   * @param table nodes with their edges; ones that are no parent in `links` exist already and are left alone.
   */
  addNodes(table: NodeTable, links: Parents): void {
    const members = new Map<bigint, bigint[]>();
    links.parents.forEach((parent, i) => {
      const known = members.get(parent);
      if (known === undefined) members.set(parent, [links.children[i]!]);
      else known.push(links.children[i]!);
    });
    const edges = new Map<number, IngestCell[]>();
    forEachCrossSet(table.edges, (node, layer, partners) => {
      const cell = { column: crossColumn(layer), value: packIds(partners) };
      const known = edges.get(node);
      if (known === undefined) edges.set(node, [cell]);
      else known.push(cell);
    });
    for (let node = 0; node < table.ids.length; node++) {
      const id = table.ids[node]!;
      const children = members.get(id);
      if (children === undefined) continue;
      const cells: IngestCell[] = [{ column: CHILDREN, value: packIds(sortedDistinct(BigUint64Array.from(children))) }];
      const cross = edges.get(node);
      if (cross !== undefined) cells.push(...cross);
      else if (layerOf(id) < this.settings.layers) {
        const root = this.rootChunk | BigInt(this.objectOf[table.firstSupervoxels[node]!]! + 1);
        cells.push({ column: PARENT, value: packId(root) });
        this.add(root, [{ column: CHILDREN, value: packId(id) }]);
      }
      this.add(id, cells);
    }
  }

  private add(id: bigint, cells: readonly IngestCell[]): void {
    this.rows.push(ingestRow(nodeKey(id), cells, this.settings.ingestTime));
  }
}
