/**
 * Listening on the path of a Unix socket (Node). The file outlives a process that is killed, and must then be replaced, but never that of a process
 * that listens; and the file system cannot remove a file on the condition that it is dead.
 *
 * So those who want a path take turns, `<path>.1`, `<path>.2`, …, each a link to a socket that is listened on already. The turn after the last one may
 * be taken when nobody listens on any, by who links it first, and is held if still nobody does on the others: whoever slept between looking and linking
 * finds who came meanwhile. The holder alone puts its socket at the path; it removes the turns of those that were killed, and its own when it ends.
 * @module
 */
import { link, lstat, readdir, rename, rm, stat } from "node:fs/promises";
import type { Server } from "node:http";
import { connect } from "node:net";
import { basename, dirname, join } from "node:path";
import { OcdbtError } from "../errors.ts";
import { randomHex } from "../io/random-hex.ts";

/** Longest path that can be listened on: the kernel takes 107 bytes, and names beside it are a little longer. */
export const MAX_SOCKET_PATH_BYTES = 100;

/**
 * @returns what to call before `server` is closed.
 * @throws `OcdbtError` `already-exists` when somebody listens there, or what is there is no socket; `bad-spec` when no socket can be made there
 */
export async function listenOnPath(server: Server, path: string): Promise<() => Promise<void>> {
  const own = `${path}.t${randomHex().slice(0, 5)}`;
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(own, resolve);
  }).catch(async (cause: unknown) => {
    throw await noSocket(path, cause);
  });
  try {
    await expectFree(path);
    const turn = await takeTurn(own, path);
    const { ino } = await lstat(own);
    await rename(own, path);
    return async () => {
      // As long as this process listens nobody else replaces it.
      const there = await lstat(path).catch(() => undefined);
      if (there?.ino === ino) await rm(path, { force: true });
      await rm(turn, { force: true });
    };
  } catch (error) {
    server.close();
    await rm(own, { force: true });
    throw error;
  }
}

async function expectFree(path: string): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there !== undefined && !there.isSocket()) {
    const message = `${path} is there and no socket; remove it, or listen elsewhere`;
    throw new OcdbtError("already-exists", message, { fields: { path } });
  }
  if (await isListenedOn(path)) throw inUse(path);
}

/** @returns the turn that is held from now on */
async function takeTurn(own: string, path: string): Promise<string> {
  for (;;) {
    const earlier = await expectDead(await turnsOf(path), path);
    const turn = `${path}.${(earlier.at(-1) ?? 0) + 1}`;
    try {
      await link(own, turn);
    } catch (error) {
      if (isCode(error, "EEXIST")) continue;
      throw error;
    }
    try {
      const others = (await turnsOf(path)).filter((number) => `${path}.${number}` !== turn);
      await expectDead(others, path);
      for (const number of others) await rm(`${path}.${number}`, { force: true });
      return turn;
    } catch (error) {
      await rm(turn, { force: true });
      throw error;
    }
  }
}

async function expectDead(turns: readonly number[], path: string): Promise<readonly number[]> {
  for (const turn of turns) if (await isListenedOn(`${path}.${turn}`)) throw inUse(path);
  return turns;
}

async function turnsOf(path: string): Promise<number[]> {
  const folder = dirname(path);
  const start = `${basename(path)}.`;
  const turns: number[] = [];
  for (const name of await readdir(folder)) {
    const digits = name.startsWith(start) ? name.slice(start.length) : "";
    if (/^[1-9][0-9]{0,14}$/.test(digits) && (await isSocket(join(folder, name)))) turns.push(Number(digits));
  }
  return turns.sort((a, b) => a - b);
}

async function isSocket(path: string): Promise<boolean> {
  return (await lstat(path).catch(() => undefined))?.isSocket() ?? false;
}

async function isListenedOn(path: string): Promise<boolean> {
  return await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", (error) => resolve(!isCode(error, "ECONNREFUSED") && !isCode(error, "ENOENT")));
  });
}

function isCode(error: unknown, code: string): boolean {
  return (error as NodeJS.ErrnoException | null)?.code === code;
}

/** Node's error names a file that nobody has asked for, and may tell of a folder that is missing as of one that may not be written. */
async function noSocket(path: string, cause: unknown): Promise<OcdbtError> {
  const folder = dirname(path);
  const there = await stat(folder).catch(() => undefined);
  const fail = (why: string, details: { readonly cause?: unknown } = {}): OcdbtError =>
    new OcdbtError("bad-spec", `cannot listen on ${path}: ${why}`, { fields: { path }, ...details });
  if (there === undefined) return fail(`there is no folder ${folder}; make it, or listen elsewhere`);
  if (!there.isDirectory()) return fail(`${folder} is no folder; listen elsewhere`);
  if (["EACCES", "EPERM", "EROFS"].some((code) => isCode(cause, code)))
    return fail(`the folder ${folder} may not be written; listen elsewhere`);
  return fail(`no socket can be made in the folder ${folder}`, { cause });
}

function inUse(path: string): OcdbtError {
  const message = `another process listens on ${path}; end it, or listen elsewhere`;
  return new OcdbtError("already-exists", message, { fields: { path } });
}
