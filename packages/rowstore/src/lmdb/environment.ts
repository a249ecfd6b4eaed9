/**
 * LMDB environments of this process: a folder is opened once however many stores use it, because LMDB must not map the
 * same file twice in one process.
 * @module
 */
import { statfsSync } from "node:fs";
import { mkdir, readdir, realpath } from "node:fs/promises";
import { open, type RootDatabase } from "lmdb";
import { isRowStoreError, RowStoreError } from "../errors.ts";
import { CellAccess, type CellDatabase, CellReader } from "./cell-reader.ts";
import { CommitQueue } from "./commit-queue.ts";
import { checkDataFile } from "./data-file.ts";

/** What the root database says about the folder. */
const MARKER = "pcg-rowstore";
const VERSION = 1;

export class Environment {
  readonly path: string;
  readonly root: RootDatabase;
  readonly cells: CellDatabase;
  readonly reader: CellReader;
  readonly writes: CommitQueue;
  users = 0;

  constructor(path: string, root: RootDatabase) {
    this.path = path;
    this.root = root;
    const access = new CellAccess();
    this.cells = root.openDB<Uint8Array, Uint8Array>("cells", {
      keyEncoder: access.keyEncoder,
      encoder: access.encoder,
      encoding: undefined,
    } as object);
    this.reader = new CellReader(this.cells, access);
    this.writes = new CommitQueue(this.cells, () => {
      const { bavail, bsize } = statfsSync(path);
      return bavail * bsize;
    });
  }
}

const environments = new Map<string, Environment>();
const closing = new Map<string, Promise<void>>();

/** Opens the folder's environment, or joins it when this process has it open; pair with `releaseEnvironment`. */
export async function acquireEnvironment(folder: string): Promise<Environment> {
  const path = await prepareFolder(folder);
  for (let end = closing.get(path); end !== undefined; end = closing.get(path)) await end;
  // From here on synchronous, so that two callers cannot both open it.
  let environment = environments.get(path);
  if (environment === undefined) {
    environment = openEnvironment(path);
    environments.set(path, environment);
  }
  environment.users++;
  return environment;
}

/** Waits for the writes in flight; the last user closes the environment. */
export async function releaseEnvironment(environment: Environment): Promise<void> {
  await environment.writes.settled();
  environment.users--;
  if (environment.users > 0) return;
  const { path, root } = environment;
  environments.delete(path);
  const closed = root.close().finally(() => closing.delete(path));
  closing.set(path, closed);
  await closed;
}

async function prepareFolder(folder: string): Promise<string> {
  try {
    await mkdir(folder, { recursive: true });
    const path = await realpath(folder);
    const names = await readdir(path);
    if (names.length > 0 && !names.includes("data.mdb")) {
      throw new RowStoreError(
        "NOT_A_ROW_STORE",
        `the folder ${path} holds other files (${names.slice(0, 3).join(", ")}) and no row store; give an empty or new folder`,
        { path },
      );
    }
    await checkDataFile(path);
    return path;
  } catch (cause) {
    if (isRowStoreError(cause)) throw cause;
    throw new RowStoreError(
      "CANNOT_OPEN",
      `the row store's folder ${folder} cannot be used (${(cause as Error).message}); give a folder this process may write`,
      { path: folder },
      cause,
    );
  }
}

function openEnvironment(path: string): Environment {
  let root: RootDatabase;
  try {
    // Commits are synced before they become visible: overlapping the sync measured no faster and would let other
    // processes read what a power cut could still undo.
    root = open({
      path,
      noSubdir: false,
      overlappingSync: false,
      eventTurnBatching: false,
      maxDbs: 2,
      encoding: "json",
    } as object);
  } catch (cause) {
    throw new RowStoreError(
      "CANNOT_OPEN",
      `${path}/data.mdb cannot be opened (${(cause as Error).message}); if it is no row store choose another folder, if it was damaged restore it from a backup`,
      { path },
      cause,
    );
  }
  try {
    checkMarker(path, root);
    return new Environment(path, root);
  } catch (error) {
    void root.close();
    throw error;
  }
}

function checkMarker(path: string, root: RootDatabase): void {
  root.transactionSync(() => {
    const marker = root.get(MARKER) as { version?: unknown } | undefined;
    if (marker === undefined) {
      if (root.getKeysCount({ limit: 1 }) > 0) {
        throw new RowStoreError(
          "NOT_A_ROW_STORE",
          `${path}/data.mdb is an LMDB database of another program; choose another folder`,
          { path },
        );
      }
      root.putSync(MARKER, { version: VERSION });
    } else if (marker.version !== VERSION) {
      throw new RowStoreError(
        "VERSION_MISMATCH",
        `the row store in ${path} has format version ${String(marker.version)} and this software reads version ${VERSION}; open it with the software that wrote it`,
        { path, version: String(marker.version), limit: VERSION },
      );
    }
  });
}
