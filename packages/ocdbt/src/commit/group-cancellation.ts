import type { CommitOptions } from "../contract.ts";
import { onAbort } from "../own-signal.ts";

/** A group is given up when nobody waits for any of it. */
export class GroupCancellation {
  readonly #group: readonly { readonly options: Pick<CommitOptions, "signal"> }[];
  readonly #controller = new AbortController();
  readonly #leave: (() => void)[] = [];
  readonly #look = (): void => {
    if (this.#group.length > 0 && this.#group.every(({ options }) => options.signal?.aborted)) {
      this.#controller.abort(this.#group[0]!.options.signal!.reason);
    }
  };

  constructor(group: readonly { readonly options: Pick<CommitOptions, "signal"> }[]) {
    this.#group = group;
    for (const { options } of group)
      if (options.signal !== undefined) this.#leave.push(onAbort(options.signal, this.#look));
    this.#look();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  end(): void {
    for (const leave of this.#leave) leave();
  }
}
