import { once } from "node:events";
import type { WriteStream } from "node:fs";
import { createWriteStream } from "node:fs";
import { rename, rm } from "node:fs/promises";

/** Writes `label,root` lines to a file that appears when it is complete. */
export class LabelsCsv {
  private readonly path: string;
  private readonly temporary: string;
  private readonly stream: WriteStream;
  private failure: Error | undefined;

  constructor(path: string) {
    this.path = path;
    this.temporary = `${path}.${process.pid}.partial`;
    this.stream = createWriteStream(this.temporary);
    this.stream.on("error", (error) => {
      this.failure = error;
    });
    this.stream.write("label,root\n");
  }

  /** Waits when the disk is slower than the ingest. */
  async add(label: bigint, root: bigint): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    if (!this.stream.write(`${label},${root}\n`)) await once(this.stream, "drain");
  }

  async finish(): Promise<void> {
    if (this.failure !== undefined) throw this.failure;
    this.stream.end();
    await once(this.stream, "close");
    await rename(this.temporary, this.path);
  }

  async discard(): Promise<void> {
    this.stream.destroy();
    await rm(this.temporary, { force: true });
  }
}
