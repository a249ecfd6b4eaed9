import { once } from "node:events";
import type { WriteStream } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { UsageError } from "./errors.ts";

/** Writes `label,root` lines to a file that appears when it is complete. */
export class LabelsCsv {
  private readonly path: string;
  private readonly temporary: string;
  private readonly stream: WriteStream;
  private failure: Error | undefined;

  /** Begins the file. @throws UsageError when there can be no such file */
  static async create(path: string): Promise<LabelsCsv> {
    const temporary = `${path}.${process.pid}.partial`;
    try {
      await mkdir(dirname(path), { recursive: true });
      return new LabelsCsv(path, temporary, await open(temporary, "w"));
    } catch (cause) {
      throw new UsageError(`--labels-csv ${path} cannot be written: ${(cause as Error).message}`, { cause });
    }
  }

  private constructor(path: string, temporary: string, file: FileHandle) {
    this.path = path;
    this.temporary = temporary;
    this.stream = file.createWriteStream();
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
