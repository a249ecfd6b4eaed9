import type { Time } from "../../src/contract.ts";

/**
 * The naive model of a graph that only merges: for every time at which something changed, the object of each supervoxel.
 */
export class Oracle {
  private readonly states: { readonly time: Time; readonly objectOf: ReadonlyMap<bigint, bigint> }[];

  constructor(time: Time, supervoxels: readonly bigint[], joined: readonly (readonly [bigint, bigint])[]) {
    const objectOf = new Map(supervoxels.map((id) => [id, id]));
    for (const [a, b] of joined) join(objectOf, a, b);
    this.states = [{ time, objectOf }];
  }

  get times(): Time[] {
    return this.states.map(({ time }) => time);
  }

  together(a: bigint, b: bigint): boolean {
    const { objectOf } = this.states.at(-1)!;
    return objectOf.get(a) === objectOf.get(b);
  }

  merge(a: bigint, b: bigint, time: Time): void {
    const objectOf = new Map(this.states.at(-1)!.objectOf);
    join(objectOf, a, b);
    this.states.push({ time, objectOf });
  }

  /** Members of each object at a time, each sorted, in order of their smallest members. */
  objectsAt(time: Time): bigint[][] {
    const state = this.states.findLast((s) => s.time <= time)!;
    return partition([...state.objectOf]);
  }
}

/** Members that share an object, each group sorted, in order of the smallest members. */
export function partition(pairs: readonly (readonly [member: bigint, object: bigint])[]): bigint[][] {
  const members = new Map<bigint, bigint[]>();
  for (const [member, object] of pairs) {
    const group = members.get(object);
    if (group === undefined) members.set(object, [member]);
    else group.push(member);
  }
  const ascending = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);
  return [...members.values()].map((group) => group.sort(ascending)).sort((a, b) => ascending(a[0]!, b[0]!));
}

function join(objectOf: Map<bigint, bigint>, a: bigint, b: bigint): void {
  const [from, to] = [objectOf.get(a)!, objectOf.get(b)!];
  for (const [member, object] of objectOf) if (object === from) objectOf.set(member, to);
}
