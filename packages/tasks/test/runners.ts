/** The runners that must behave alike. */
import type { TaskRunner } from "@pcg/tasks";
import { inlineRunner } from "@pcg/tasks";
import { poolRunner } from "@pcg/tasks/pool";
// @ts-expect-error: plain JavaScript, because threads load it too
import { handlers } from "./handlers.mjs";

export const module: URL = new URL("./handlers.mjs", import.meta.url);

export const runners: Record<string, (options: { maxBytes?: number }) => TaskRunner> = {
  inline: (options) => inlineRunner(handlers, options),
  pool: (options) => poolRunner({ module, parallelism: 2, ...options }),
};
