/**
 * Requests under way that several callers wait for.
 * @module
 */
import { onAbort } from "./on-abort.ts";

/** One request, as the one who makes it sees it. */
export interface Flight {
  /** Aborted when nobody waits any more. */
  readonly signal: AbortSignal;
  /** Whether what it asks for may have changed since it started. */
  readonly isStale: boolean;
}

class OpenFlight<T> implements Flight {
  readonly key: Uint8Array;
  readonly controller = new AbortController();
  waiting = 0;
  isUnderWay = true;
  isStale = false;
  result!: Promise<T>;

  constructor(key: Uint8Array) {
    this.key = key;
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }
}

/** Requests by name. */
export class SharedFlights<T> {
  readonly #open = new Map<string, OpenFlight<T>>();

  /** Waits for the request of this name, starting it unless it is under way. Rejects with the signal's reason. */
  async join(
    name: string,
    key: Uint8Array,
    signal: AbortSignal | undefined,
    request: (flight: Flight) => Promise<T>,
  ): Promise<T> {
    const flight = this.#open.get(name) ?? this.#start(name, key, request);
    flight.waiting++;
    let unfollow = (): void => {};
    try {
      if (signal === undefined) return await flight.result;
      const left = new Promise<never>((_, reject) => {
        unfollow = onAbort(signal, () => reject(signal.reason));
      });
      return await Promise.race([flight.result, left]);
    } finally {
      unfollow();
      flight.waiting--;
      if (flight.waiting === 0) this.#end(name, flight);
    }
  }

  /** Nobody joins the requests for these keys from now on; they serve those who wait. */
  abandon(matches: (key: Uint8Array) => boolean): void {
    for (const [name, flight] of this.#open) {
      if (!matches(flight.key)) continue;
      flight.isStale = true;
      this.#open.delete(name);
    }
  }

  #start(name: string, key: Uint8Array, request: (flight: Flight) => Promise<T>): OpenFlight<T> {
    const flight = new OpenFlight<T>(key);
    this.#open.set(name, flight);
    flight.result = request(flight);
    const land = (): void => {
      flight.isUnderWay = false;
    };
    // Those who wait see a failure; when all have left, nobody is to be told.
    flight.result.then(land, land);
    return flight;
  }

  #end(name: string, flight: OpenFlight<T>): void {
    if (this.#open.get(name) === flight) this.#open.delete(name);
    if (flight.isUnderWay) flight.controller.abort();
  }
}
