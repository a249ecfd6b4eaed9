/** Leads a newcomer from one planted mistake of the tutorial to the next that is still there. */

import { fetchMistakes, rootsAt, type Vector } from "./server.ts";

/** Two voxels of one neurite, in one section, that are of different objects. */
export interface Mistake {
  readonly sides: readonly [Vector, Vector];
  readonly roots: readonly [string, string];
}

/** Mistakes of a table, one after the other and round again. */
export interface Mistakes {
  readonly count: number;
  /** The next one that nobody has merged yet; `undefined` when none is left. */
  next(): Promise<Mistake | undefined>;
}

export async function loadMistakes(table: string): Promise<Mistakes> {
  const all = await fetchMistakes();
  let turn = 0;
  return {
    count: all.length,
    async next() {
      const roots = await rootsAt(table, all.flat());
      for (let tried = 0; tried < all.length; tried++) {
        const at = turn++ % all.length;
        const [here, there] = [roots[2 * at]!, roots[2 * at + 1]!];
        if (here !== there && here !== "0" && there !== "0") return { sides: all[at]!, roots: [here, there] };
      }
      return undefined;
    },
  };
}
