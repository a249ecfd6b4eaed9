import { compareKeys } from "../keys.ts";

/** One key and what each list has for it. */
export interface MergedEntry<T> {
  readonly key: Uint8Array;
  readonly entries: readonly (T | undefined)[];
}

/** Several lists in key order as one. Holds one entry of each; ends them all when left early. */
export async function* mergeLists<T extends { readonly key: Uint8Array }>(
  lists: readonly AsyncIterable<T>[],
): AsyncGenerator<MergedEntry<T>> {
  const iterators = lists.map((list) => list[Symbol.asyncIterator]());
  try {
    const heads = await Promise.all(iterators.map((iterator) => iterator.next()));
    for (;;) {
      let key: Uint8Array | undefined;
      for (const head of heads) {
        if (!head.done && (key === undefined || compareKeys(head.value.key, key) < 0)) key = head.value.key;
      }
      if (key === undefined) return;
      const entries: (T | undefined)[] = [];
      for (const [i, head] of heads.entries()) {
        const isHere = !head.done && compareKeys(head.value.key, key) === 0;
        entries.push(isHere ? head.value : undefined);
        if (isHere) heads[i] = await iterators[i]!.next();
      }
      yield { key, entries };
    }
  } finally {
    await Promise.allSettled(iterators.map((iterator) => iterator.return?.()));
  }
}
