/**
 * What a database's other manifests and its forks need, and whether what the forks need is there.
 * @module
 */
import type { KvStore } from "@pcg/kvstore";
import { isOcdbtError, type OcdbtError } from "../errors.ts";
import { type Manifest, pathToBytes, printablePath } from "../format/index.ts";
import { type FamilyOptions, familyOf, type Member } from "./family.ts";
import { markingReader, markMember } from "./mark-family.ts";
import { drain, type UpkeepOptions } from "./progress.ts";
import { Reach } from "./reach.ts";

/** Something that is needed and cannot be read. */
export interface FamilyDamage {
  /** `undefined`: of an older manifest of the database itself. */
  readonly fork: string | undefined;
  readonly message: string;
  readonly file?: string;
}

export interface CheckedFamily {
  /** Files that the database and its forks need, by their shared names; of forks that are known. */
  readonly files: ReadonlySet<string>;
  /** Those of them that are needed by more than the newest manifest of the database. */
  readonly neededByOthers: ReadonlySet<string>;
  readonly damage: readonly FamilyDamage[];
  /** Forks of which it is not known what they need. */
  readonly unknown: readonly OcdbtError[];
}

/** The newest manifest of a database. */
export interface CheckedManifest {
  readonly manifest: Manifest;
  /** Whether everything that it leads to is known to be there. */
  readonly isSound: boolean;
}

/**
 * Reads the nodes of all manifests and forks once, shared ones included only once; a second time, each fork by itself, if anything is damaged,
 * so that every fork is named that it concerns.
 */
export async function checkFamily(
  root: KvStore,
  newest: CheckedManifest,
  options: UpkeepOptions & FamilyOptions,
): Promise<CheckedFamily> {
  const check = new FamilyCheck(root, newest, options);
  const together = newest.isSound ? await check.together() : undefined;
  return together === undefined || together.damage.some(({ fork }) => fork !== undefined)
    ? await check.eachByItself()
    : together;
}

class FamilyCheck {
  readonly #root: KvStore;
  readonly #newest: CheckedManifest;
  readonly #options: UpkeepOptions & FamilyOptions;
  /** Whether files are there, by their shared names. */
  readonly #present = new Map<string, Promise<boolean>>();

  constructor(root: KvStore, newest: CheckedManifest, options: UpkeepOptions & FamilyOptions) {
    this.#root = root;
    this.#newest = newest;
    this.#options = options;
  }

  /** What was visited for one is passed over for the others. */
  async together(): Promise<CheckedFamily> {
    const reach = await this.#reachOfNewest();
    return await this.#run(() => reach);
  }

  async eachByItself(): Promise<CheckedFamily> {
    const reach = await this.#reachOfNewest();
    return await this.#run((member) => (member.store === this.#root ? reach : new Reach()));
  }

  /** What cannot be read of it has been told. */
  async #reachOfNewest(): Promise<Reach> {
    const { signal } = this.#options;
    const reach = new Reach();
    await reach.mark(this.#newest.manifest, markingReader(this.#root), (path) => path, {
      onError: (error) => {
        if (!isOcdbtError(error)) throw error;
      },
      ...(signal && { signal }),
    });
    return reach;
  }

  async #run(reachOf: (member: Member) => Reach): Promise<CheckedFamily> {
    const files = new Set<string>();
    const neededByOthers = new Set<string>();
    const damage: FamilyDamage[] = [];
    const unknown: OcdbtError[] = [];
    for await (const member of familyOf(this.#root, this.#options, (error) => unknown.push(error))) {
      const reach = reachOf(member);
      const { needed, unreadable } = await this.#mark(member, reach);
      damage.push(...unreadable);
      for (const path of needed) neededByOthers.add(member.physical(path));
      for (const file of reach.files) files.add(file);
      // What the database itself needs was looked at before.
      if (member.store !== this.#root) damage.push(...(await this.#missing(member, needed)));
    }
    return { files, neededByOthers, damage, unknown };
  }

  async #mark(member: Member, reach: Reach): Promise<{ needed: string[]; unreadable: FamilyDamage[] }> {
    const needed: string[] = [];
    const unreadable: FamilyDamage[] = [];
    const fork = this.#nameOf(member);
    const onError = (error: unknown, key: string): void => {
      if (!isOcdbtError(error)) throw error;
      if (fork === undefined) {
        // Otherwise it has been told already, or is nothing to worry about beside that.
        if (!this.#newest.isSound) return;
        const message = `${key} leads to what cannot be read, so that sweep removes nothing as long as it is there: ${error.message}`;
        unreadable.push({ fork, message, file: key });
      } else if (error.code !== "not-found") {
        // Files that are gone are told each once, see `#missing`.
        unreadable.push({ fork, message: `fork ${fork} cannot be read in full: ${error.message}` });
      }
    };
    await markMember(member, reach, { ...this.#options, onFile: (path) => void needed.push(path), onError });
    return { needed, unreadable };
  }

  async #missing(member: Member, needed: readonly string[]): Promise<FamilyDamage[]> {
    const { signal } = this.#options;
    const gone = new Set<string>();
    const look = async (path: string): Promise<void> => {
      if (!(await this.#isPresent(member, path))) gone.add(path);
    };
    await drain([...needed], look, { ...(signal && { signal }) });
    const fork = this.#nameOf(member);
    return [...gone].sort().map((path) => {
      const file = printablePath(path);
      return { fork, file, message: `fork ${fork} needs data file ${file}, which is gone` };
    });
  }

  #nameOf({ registration, store }: Member): string | undefined {
    return store === this.#root ? undefined : (registration?.id ?? store.url);
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
