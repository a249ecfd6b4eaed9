import { resolveByteRange } from "../byte-range.ts";
import type { ByteRange, KeyRange, KvStore, ListOptions } from "../contract.ts";
import { compareKeys, inRange, keyBytes, listRange, printKey } from "../keys.ts";
import { listed, type OpenForTest, type TestApi, withStore } from "./api.ts";

/** Random integers in [0, limit), the same for the same seed. */
function generator(seed: number): (limit: number) => number {
  let state = seed | 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

interface Version {
  readonly value: Uint8Array;
  readonly generation: string;
}

/** Random operations, each compared with a map; for stores that promise everything. */
export function testAgainstModel(
  open: OpenForTest,
  { test, expect }: TestApi,
  options: {
    readonly seeds: readonly number[];
    readonly steps: number;
    readonly keys: readonly (string | Uint8Array)[];
  },
): void {
  for (const seed of options.seeds) {
    test(`behaves as a map does under random operations (seed ${seed})`, () =>
      withStore(open, {}, async (store) => {
        const run = new ModelRun(store, expect, generator(seed), options.keys.map(keyBytes));
        for (let step = 0; step < options.steps; step++) await run.step(`seed ${seed}, step ${step}`);
      }));
  }
}

class ModelRun {
  readonly #store: KvStore;
  readonly #expect: TestApi["expect"];
  readonly #random: (limit: number) => number;
  readonly #keys: readonly Uint8Array[];
  readonly #model = new Map<string, { key: Uint8Array; version: Version }>();
  readonly #pastGenerations: string[] = ["never"];

  constructor(
    store: KvStore,
    expect: TestApi["expect"],
    random: (limit: number) => number,
    keys: readonly Uint8Array[],
  ) {
    this.#store = store;
    this.#expect = expect;
    this.#random = random;
    this.#keys = keys;
  }

  async step(where: string): Promise<void> {
    const choice = this.#random(20);
    if (choice < 7) await this.#read(where);
    else if (choice < 14) await this.#write(where, choice < 11);
    else if (choice < 16) await this.#delete(where);
    else if (choice < 19) await this.#list(where);
    else await this.#deleteRange(where);
  }

  async #read(where: string): Promise<void> {
    const key = this.#key();
    const known = this.#at(key);
    const range = this.#random(2) === 0 ? undefined : this.#byteRange();
    const ifNotGeneration = this.#random(3) === 0 ? this.#generation(known) : undefined;
    const found = await this.#store.read(key, {
      ...(range === undefined ? {} : { range }),
      ...(ifNotGeneration === undefined ? {} : { ifNotGeneration }),
    } as { ifNotGeneration: string });
    const what = `${where}: read ${printKey(key)} ${JSON.stringify({ range, ifNotGeneration })}`;
    if (known === undefined) this.#expect(found, what).toBe(undefined);
    else if (known.generation === ifNotGeneration) this.#expect(found, what).toBe("unchanged");
    else {
      const { start, end } = resolveByteRange(range, known.value.length);
      const { value, ...rest } = found as { value: Uint8Array };
      this.#expect([...value], what).toEqual([...known.value.subarray(start, end)]);
      this.#expect(rest, what).toEqual({ generation: known.generation, size: known.value.length });
    }
  }

  async #write(where: string, conditional: boolean): Promise<void> {
    const key = this.#key();
    const value = Uint8Array.from({ length: this.#random(40) }, () => this.#random(256));
    const condition = conditional ? this.#condition(key) : {};
    const result = await this.#store.write(key, value, condition);
    const what = `${where}: write ${printKey(key)} ${JSON.stringify(condition)}`;
    if (!this.#applies(key, condition)) {
      this.#expect(result, what).toEqual({ written: false, generation: this.#at(key)?.generation ?? null });
      return;
    }
    this.#expect(result.written, what).toBe(true);
    const generation = result.generation!;
    this.#expect(this.#pastGenerations.includes(`${printKey(key)} ${generation}`), `${what}: fresh generation`).toBe(
      false,
    );
    this.#pastGenerations.push(`${printKey(key)} ${generation}`);
    this.#model.set(printKey(key), { key, version: { value, generation } });
  }

  async #delete(where: string): Promise<void> {
    const key = this.#key();
    const condition = this.#random(2) === 0 ? this.#condition(key) : {};
    const result = await this.#store.write(key, null, condition);
    const what = `${where}: delete ${printKey(key)} ${JSON.stringify(condition)}`;
    if (this.#applies(key, condition)) {
      this.#expect(result, what).toEqual({ written: true, generation: null });
      this.#model.delete(printKey(key));
    } else this.#expect(result, what).toEqual({ written: false, generation: this.#at(key)?.generation ?? null });
  }

  async #list(where: string): Promise<void> {
    const options: ListOptions = {
      ...(this.#random(2) === 0 ? { prefix: this.#key().slice(0, this.#random(5)) } : {}),
      ...(this.#random(2) === 0 ? { range: this.#keyRange() } : {}),
    };
    const expected = this.#within(listRange(options)).map(printKey);
    this.#expect(await listed(this.#store, options), `${where}: list ${show(options)}`).toEqual(expected);
  }

  async #deleteRange(where: string): Promise<void> {
    const range = this.#keyRange();
    await this.#store.deleteRange(range);
    for (const key of this.#within(range)) this.#model.delete(printKey(key));
    this.#expect(await listed(this.#store), `${where}: deleteRange ${show({ range })}`).toEqual(
      this.#within({ start: new Uint8Array(0) }).map(printKey),
    );
  }

  #within(range: KeyRange): Uint8Array[] {
    const keys = [...this.#model.values()].map(({ key }) => key).filter((key) => inRange(key, range));
    return keys.sort(compareKeys);
  }

  #key(): Uint8Array {
    return this.#keys[this.#random(this.#keys.length)]!;
  }

  #keyRange(): KeyRange {
    const start = this.#key().slice(0, this.#random(6));
    return this.#random(3) === 0 ? { start } : { start, end: this.#key().slice(0, 1 + this.#random(6)) };
  }

  #byteRange(): ByteRange {
    if (this.#random(3) === 0) return { suffixLength: this.#random(50) };
    const offset = this.#random(50);
    return this.#random(2) === 0 ? { offset } : { offset, length: this.#random(30) };
  }

  #at(key: Uint8Array): Version | undefined {
    return this.#model.get(printKey(key))?.version;
  }

  /** The current generation of `known`, or one from the past. */
  #generation(known: Version | undefined): string {
    if (known !== undefined && this.#random(3) > 0) return known.generation;
    const past = this.#pastGenerations[this.#random(this.#pastGenerations.length)]!;
    return past.slice(past.lastIndexOf(" ") + 1);
  }

  #condition(key: Uint8Array): { ifGeneration: string | null } {
    return { ifGeneration: this.#random(3) === 0 ? null : this.#generation(this.#at(key)) };
  }

  #applies(key: Uint8Array, condition: { readonly ifGeneration?: string | null }): boolean {
    return condition.ifGeneration === undefined || condition.ifGeneration === (this.#at(key)?.generation ?? null);
  }
}

function show({ prefix, range }: ListOptions): string {
  const parts = [prefix, range?.start, range?.end].map((key) => (key === undefined ? "-" : printKey(key)));
  return `prefix ${parts[0]} start ${parts[1]} end ${parts[2]}`;
}
