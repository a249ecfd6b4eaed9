import type { MergeRequest } from "../contract.ts";
import type { GraphError } from "../errors.ts";

/** Clients send a refused edit again at once; a person does not. */
const REPEAT_MS = 10_000;
const MOST = 1024;

/** Remembers recent refusals, so that repeating one leaves no further line in the log. */
export class RecentRefusals {
  private readonly seen = new Map<string, number>();

  /** Whether the same user was refused the same for the same reason a moment ago; remembers that it happened now. */
  isRepeated({ user, picks }: MergeRequest, { code }: GraphError, now: number = performance.now()): boolean {
    const key = JSON.stringify([user, code, picks.map(({ id, position }) => [String(id), position])]);
    const before = this.seen.get(key);
    this.seen.delete(key);
    this.seen.set(key, now);
    if (this.seen.size > MOST) this.seen.delete(this.seen.keys().next().value!);
    return before !== undefined && now - before < REPEAT_MS;
  }
}
