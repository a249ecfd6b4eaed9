/** The rules of a sound graph, as {@link checkGraph} names them. */
export type Rule =
  | "id"
  | "children"
  | "parent"
  | "hierarchy"
  | "root"
  | "skip"
  | "cross-edges"
  | "edge"
  | "component"
  | "lineage"
  | "log"
  | "counter"
  | "voxels";

export interface Violation {
  readonly rule: Rule;
  /** The node, chunk or operation it was seen at. */
  readonly id: bigint;
  readonly message: string;
}

/** Collects violations up to a number; counts the rest. */
export class Findings {
  readonly violations: Violation[] = [];
  total = 0;
  private readonly most: number;

  constructor(most: number) {
    this.most = most;
  }

  add(rule: Rule, id: bigint, message: string): void {
    this.total++;
    if (this.violations.length < this.most) this.violations.push({ rule, id, message });
  }
}
