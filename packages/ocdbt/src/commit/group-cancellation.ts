import type { CommitOptions } from "../contract.ts";

/** A group is given up when nobody waits for any of it. */
export class GroupCancellation {
  readonly #group: readonly { readonly options: Pick<CommitOptions, "signal"> }[];
  readonly #controller = new AbortController();
  readonly #look = (): void => {
    if (this.#group.length > 0 && this.#group.every(({ options }) => options.signal?.aborted)) {
      this.#controller.abort(this.#group[0]!.options.signal!.reason);
    }
  };

  constructor(group: readonly { readonly options: Pick<CommitOptions, "signal"> }[]) {
    this.#group = group;
    for (const { options } of group) options.signal?.addEventListener("abort", this.#look);
    this.#look();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  end(): void {
    for (const { options } of this.#group) options.signal?.removeEventListener("abort", this.#look);
  }
}
