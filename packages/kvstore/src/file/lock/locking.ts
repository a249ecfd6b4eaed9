/**
 * What the store needs of locks between processes; the ways to have them are in the other files of this folder.
 * @module
 */
/** A lock that is held. */
export interface HeldLock {
  /** Whether it still is: false when it was taken for abandoned, after this process stood still for long. */
  isHeld(): boolean;
  /** Drops the lock and removes its file. @param isRepeated that the lock is likely to be wanted soon again, so the file may stay a while. */
  release(isRepeated?: boolean): void;
}

export interface Locking {
  /** Whether a lock keeps other processes out. */
  readonly isExclusive: boolean;
  /**
   * Waits for the lock whose file is `path`; without going to the thread pool when it is free. Rejects with `ENOENT` when the folder is missing; while the lock is held its file
   * keeps the folder from being removed.
   */
  acquire(path: Buffer, signal: AbortSignal | undefined): Promise<HeldLock>;
  /** Shows others that the owner of an unfinished value lives, as far as there is a way to. */
  protect(unfinished: number): void;
  /** Age from which a writer's first look into a folder takes what lies there for abandoned, if nothing speaks against it. */
  readonly abandonedAfterMs: number;
  /**
   * Removes a lock or unfinished value that was not touched for `minAgeMs`, if its owner is not known to live.
   *
   * @returns whether it did.
   */
  removeIfAbandoned(path: Buffer, minAgeMs: number): boolean;
}
