import { type RowStore, readRow } from "@pcg/rowstore";
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

/** The last segment number given out in a chunk; 0: none. */
export async function readCounter(rows: RowStore, chunk: bigint): Promise<bigint> {
  const cell = (await readRow(rows, counterKey(chunk), { columns: [COUNTER] }))?.cells[0];
  return cell === undefined ? 0n : unpackId(cell.value);
}

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
    const held = (await readRow(rows, key, { columns: [column] }))?.cells[0];
    if (held !== undefined) {
      const claim = decodeClaim(held.value);
      if (claim.count !== count)
        throw new RangeError(`task ${task} claimed ${claim.count} ids of chunk ${chunk} before and now wants ${count}`);
      return claim;
    }
    const before = await readCounter(rows, chunk);
    const limit = layout.segmentLimit(layerOf(chunk));
    if (before + count > limit)
      throw new GraphError(
        "ids-exhausted",
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
