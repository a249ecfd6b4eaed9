import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileKvStore } from "@pcg/kvstore/file";
import { expect, test } from "vitest";
import { openOcdbt } from "../../src/index.ts";
import { buildChild } from "../support/child.ts";

test("beside processes that commit without a pause, a commit loses once and then has its turn", async () => {
  const child = await buildChild("test/support/busy-child.ts");
  const folder = await mkdtemp(join(tmpdir(), "ocdbt-turns-"));
  const others = [0, 1, 2].map((i) =>
    spawn(process.execPath, [child, folder, `w${i}`], { stdio: ["ignore", "pipe", "inherit"] }),
  );
  const closed = others.map((other) => once(other, "close"));
  try {
    let theirs = 0;
    for (const other of others)
      other.stdout.on("data", (lines: Buffer) => (theirs += lines.toString().split("\n").length - 1));
    await expect.poll(() => theirs, { timeout: 30_000 }).toBeGreaterThan(3);
    const db = await openOcdbt(fileKvStore(folder), { create: false });
    const attempts: number[] = [];
    db.parts.onCommit(({ kind, attempt }) => kind !== "conflict" && attempts.push(attempt));
    const before = theirs;
    for (let i = 0; i < 25; i++) await db.write(`ours/${i}`, new Uint8Array(100));
    const between = theirs - before;
    for (const other of others) other.kill("SIGKILL");
    await Promise.all(closed);
    await db.close();
    // They went on meanwhile; whoever only tries again loses to them many times.
    expect(between).toBeGreaterThan(5);
    expect(attempts.length).toBe(25);
    expect(Math.max(...attempts)).toBeLessThanOrEqual(3);
  } finally {
    for (const other of others) other.kill("SIGKILL");
    await Promise.all(closed);
    await rm(folder, { recursive: true });
  }
}, 120_000);
