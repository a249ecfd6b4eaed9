import type { RowStore } from "@pcg/rowstore";
import { GraphError } from "./errors.ts";
import { type IdLayout, layerOf } from "./ids.ts";
import {
  type Claim,
  COUNTER,
  claimColumn,
  counterGuard,
  counterKey,
  counterMutation,
  decodeClaim,
  encodeClaim,
  PRESENT,
  taskKey,
  unpackId,
} from "./rows/index.ts";

const MAX_TRIES = 1000;

/**
 * Gives a task `count` segment numbers of a chunk that no one else has or will have. The same task gets the same
 * numbers again, so it may be repeated; asking again for another count is a RangeError.
 */
export async function claimSegments(
  rows: RowStore,
  layout: IdLayout,
  task: string,
  chunk: bigint,
  count: bigint,
): Promise<Claim> {
  const column = claimColumn(chunk);
  const key = taskKey(task);
  for (let tries = 0; tries < MAX_TRIES; tries++) {
    const [held, last] = await Promise.all([
      readCell(rows, key, column.family, column.qualifier),
      readCell(rows, counterKey(chunk), COUNTER.family, COUNTER.qualifier),
    ]);
    if (held !== undefined) {
      const claim = decodeClaim(held);
      if (claim.count !== count)
        throw new RangeError(`task ${task} claimed ${claim.count} ids of chunk ${chunk} before and now wants ${count}`);
      return claim;
    }
    const before = last === undefined ? 0n : unpackId(last);
    const limit = layout.segmentLimit(layerOf(chunk));
    if (before + count > limit)
      throw new GraphError(
        "bad-settings",
        `chunk ${chunk} has ${limit - before} of ${limit} ids left, task ${task} needs ${count}: use smaller chunks`,
        { chunk: chunk.toString(), left: (limit - before).toString(), count: count.toString() },
      );
    const claim: Claim = { chunk, first: before + 1n, count };
    const result = await rows.transact(
      [{ key, when: { kind: "absent", column } }, counterGuard(chunk, before)],
      [
        { key, ops: [{ op: "set", column, value: encodeClaim(claim), timestamp: PRESENT }] },
        counterMutation(chunk, before + count),
      ],
    );
    if (result.committed) return claim;
  }
  throw new GraphError("busy", `the id counter of chunk ${chunk} changed under ${MAX_TRIES} tries: try again`, {
    chunk: chunk.toString(),
    tries: MAX_TRIES,
  });
}

async function readCell(
  rows: RowStore,
  key: Uint8Array,
  family: string,
  qualifier: Uint8Array,
): Promise<Uint8Array | undefined> {
  for await (const row of rows.read({ keys: [key] }, { columns: [{ family, qualifier }], versions: 1 }))
    return row.cells[0]?.value;
  return undefined;
}
