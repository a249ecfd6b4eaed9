/**
 * Requests as they come from outside: refused before anything is looked up when they cannot mean anything.
 * @module
 */
import type { MergeRequest, Pick } from "../contract.ts";
import { GraphError } from "../errors.ts";

/** Longest user name the log takes, in UTF-16 units. */
const MAX_USER_LENGTH = 1024;

export function checkMergeRequest(request: MergeRequest): void {
  const { user, picks, maxChunkDistance } = request;
  if (typeof user !== "string" || user.length > MAX_USER_LENGTH)
    throw invalid(`the user must be a text of at most ${MAX_USER_LENGTH} characters`);
  if (!Array.isArray(picks) || picks.length !== 2)
    throw invalid(`a merge takes two picks, not ${Array.isArray(picks) ? picks.length : String(picks)}`);
  if (maxChunkDistance !== undefined && !(Number.isInteger(maxChunkDistance) && maxChunkDistance >= 0))
    throw invalid(`maxChunkDistance must be an integer of at least 0, not ${maxChunkDistance}`);
  checkPicks(picks);
}

export function checkPicks(picks: readonly Pick[]): void {
  for (const [i, { id, position }] of picks.entries()) {
    if (typeof id !== "bigint" || id < 0n || id >= 1n << 64n)
      throw invalid(`the id of pick ${i + 1} must be a bigint of 64 bits, not ${String(id)}`);
    if (!Array.isArray(position) || position.length !== 3 || !position.every(Number.isFinite))
      throw invalid(`the position of pick ${i + 1} must be three finite numbers, not ${String(position)}`);
  }
}

function invalid(message: string): GraphError {
  return new GraphError("invalid-argument", message);
}
