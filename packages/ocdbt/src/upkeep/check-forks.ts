/**
 * Checks that what the forks of a database need of it, and of their own files, is there.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import { isOcdbtError, type OcdbtError } from "../errors.ts";
import { pathToBytes, printablePath } from "../format/index.ts";
import { createNodeReader } from "../io/node-reader.ts";
import { Semaphore } from "../io/semaphore.ts";
import { type FamilyOptions, familyOf, type Member } from "./family.ts";
import { drain, type UpkeepOptions } from "./progress.ts";
import { Reach } from "./reach.ts";
import { storedManifests } from "./stored-manifests.ts";

const NODE_CACHE_BYTES = 16 * 2 ** 20;
const REQUESTS = 16;

/** Something that a fork needs and cannot be read. */
export interface ForkDamage {
  readonly id: string;
  readonly message: string;
  readonly file?: string;
}

export interface CheckedForks {
  /** Files that the database and its forks need, by their shared names; of forks that are known. */
  readonly files: ReadonlySet<string>;
  readonly damage: readonly ForkDamage[];
  /** Forks of which it is not known what they need. */
  readonly unknown: readonly OcdbtError[];
}

/**
 * Reads the nodes of all forks once, shared ones included only once; a second time, each fork by itself, if anything is damaged, so
 * that every fork is named that it concerns.
 *
 * @param isSound whether everything that the database itself needs is known to be there.
 */
export async function checkForks(
  root: KvStore,
  isSound: boolean,
  options: UpkeepOptions & FamilyOptions,
): Promise<CheckedForks> {
  const check = new ForkCheck(root, options);
  const together = isSound ? await check.run(new Reach()) : undefined;
  return together === undefined || together.damage.length > 0 ? await check.run() : together;
}

class ForkCheck {
  readonly #root: KvStore;
  readonly #options: UpkeepOptions & FamilyOptions;
  /** Whether files are there, by their shared names. */
  readonly #present = new Map<string, Promise<boolean>>();

  constructor(root: KvStore, options: UpkeepOptions & FamilyOptions) {
    this.#root = root;
    this.#options = options;
  }

  /** @param shared what was visited for one member is passed over for the others; without it each is visited by itself. */
  async run(shared?: Reach): Promise<CheckedForks> {
    const files = new Set<string>();
    const damage: ForkDamage[] = [];
    const unknown: OcdbtError[] = [];
    for await (const member of familyOf(this.#root, this.#options, (error) => unknown.push(error))) {
      const isRoot = member.store === this.#root;
      try {
        if (isRoot && shared === undefined) continue;
        const reach = shared ?? new Reach();
        const found = await this.#damageOf(member, reach, isRoot);
        for (const file of reach.files) files.add(file);
        damage.push(...found);
      } finally {
        await member.close();
      }
    }
    return { files, damage, unknown };
  }

  async #damageOf(member: Member, reach: Reach, isRoot: boolean): Promise<ForkDamage[]> {
    const { signal, onProgress } = this.#options;
    const id = member.registration?.id ?? member.store.url;
    const damage: ForkDamage[] = [];
    const gone = new Set<string>();
    const tell = (error: unknown): void => {
      if (!isOcdbtError(error)) throw error;
      // Files that are gone are told below, each once.
      if (error.code !== "not-found")
        damage.push({ id, message: `fork ${id} cannot be read in full: ${error.message}` });
    };
    const nodes = createNodeReader(member.store, {
      cacheBytes: NODE_CACHE_BYTES,
      requests: new Semaphore(REQUESTS),
    });
    const needed: string[] = [];
    const onNode = (): void => {
      if (reach.nodes % 256 === 0) onProgress?.({ phase: "reading forks", done: reach.nodes });
    };
    for (const { manifest, error } of await storedManifests(member.store, signal)) {
      if (error !== undefined) tell(error);
      else {
        const onFile = (path: string): void => void needed.push(path);
        await reach.mark(manifest, nodes, member.physical, {
          onNode,
          onFile,
          onError: tell,
          ...(signal && { signal }),
        });
      }
    }
    // What the database itself needs was looked at before.
    if (isRoot) return [];
    const look = async (path: string): Promise<void> => {
      if (!(await this.#isPresent(member, path))) gone.add(path);
    };
    await drain(needed, look, { ...(signal && { signal }) });
    for (const path of [...gone].sort()) {
      const file = printablePath(path);
      damage.push({ id, file, message: `fork ${id} needs data file ${file}, which is gone` });
    }
    return damage;
  }

  #isPresent({ store, physical }: Member, path: string): Promise<boolean> {
    const { signal } = this.#options;
    const name = physical(path);
    let present = this.#present.get(name);
    if (present === undefined) {
      const range = { offset: 0, length: 0 };
      present = store
        .read(pathToBytes(path), { range, ...(signal && { signal }) })
        .then((found) => found !== undefined);
      this.#present.set(name, present);
    }
    return present;
  }
}
