import type { Graph, Operation, Time } from "@pcg/chunkedgraph";
import { voxel } from "./change-log.ts";
import { type JsonOut, stringifyJson } from "./http/json-write.ts";

/** Between two lines, so that proxies and clients see that the feed is alive. */
const HEARTBEAT_MS = 15_000;
/** Events a slow reader may lag behind before its feed ends; it resumes where it was. */
const MAX_LAG = 1024;

/** An operation as the page reads it: ids as strings, the time as decimal seconds, the voxel between the points. */
export function operationDocument(operation: Operation): JsonOut {
  return {
    id: String(operation.id),
    kind: operation.kind,
    status: operation.status,
    user: operation.user,
    time: decimalSeconds(operation.time),
    position: middle(operation),
    oldRoots: Array.from(operation.oldRoots, String),
    newRoots: Array.from(operation.newRoots, String),
    ...(operation.refusal && { refusal: operation.refusal }),
  };
}

/**
 * Server-sent events, one per committed operation, with its time in microseconds as the event's id. After an id the
 * operations since then come first, so a reader that lost its line misses none. Ends when `signal` is aborted.
 */
export async function* operationEvents(
  graph: Graph,
  after: Time | undefined,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const waiting: Operation[] = [];
  let wake = (): void => undefined;
  const onAbort = (): void => wake();
  const unsubscribe = graph.subscribe((operation) => {
    waiting.push(operation);
    wake();
  });
  signal.addEventListener("abort", onAbort);
  try {
    yield "retry: 2000\n\n";
    let last = after ?? (await graph.settledTime());
    if (after !== undefined) {
      for await (const operation of graph.history.operationsBetween(after, await graph.settledTime(), { signal })) {
        if (operation.status !== "done" || operation.time <= last) continue;
        last = operation.time;
        yield eventText(operation);
      }
    }
    while (!signal.aborted && waiting.length <= MAX_LAG) {
      const operation = waiting.shift();
      if (operation === undefined) {
        const woken = await new Promise<boolean>((resolve) => {
          const timer = setTimeout(() => resolve(false), HEARTBEAT_MS);
          wake = () => {
            clearTimeout(timer);
            resolve(true);
          };
        });
        if (!woken) yield ": alive\n\n";
      } else if (operation.status === "done" && operation.time > last) {
        last = operation.time;
        yield eventText(operation);
      }
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    unsubscribe();
  }
}

/** A response body that takes one piece of text at a time as its reader asks; `stop` is aborted when the reader leaves. */
export function textStream(texts: AsyncGenerator<string>, stop: AbortController): ReadableStream {
  const encoder = new TextEncoder();
  return new ReadableStream(
    {
      async pull(controller) {
        const next = await texts.next();
        if (next.done) controller.close();
        else controller.enqueue(encoder.encode(next.value));
      },
      async cancel() {
        stop.abort();
        await texts.return(undefined);
      },
    },
    { highWaterMark: 0 },
  );
}

function eventText(operation: Operation): string {
  return `id: ${operation.time}\nevent: operation\ndata: ${stringifyJson(operationDocument(operation))}\n\n`;
}

function decimalSeconds(time: Time): string {
  return `${time / 1_000_000n}.${String(time % 1_000_000n).padStart(6, "0")}`;
}

function middle({ picks }: Operation): JsonOut {
  if (picks.length === 0) return null;
  const along = (axis: 0 | 1 | 2): number => picks.reduce((sum, pick) => sum + pick.position[axis], 0) / picks.length;
  return voxel([along(0), along(1), along(2)]);
}
