import { memoryKvStore } from "./memory.ts";
import type { KvDrivers } from "./open.ts";
import { withPrefix } from "./prefix.ts";
import { checkSpecMembers } from "./spec.ts";

/**
 * Driver of `memory://name/path/` and `{"driver": "memory", "path": "name/path/"}`: keys in this process that live as long as
 * the driver value. The same path is the same store; closing what was opened leaves the contents.
 */
export function memoryDriver(): KvDrivers {
  const everything = { ...withPrefix(memoryKvStore(), ""), spec: { driver: "memory" } };
  const below = (path: string) => ({ ...withPrefix(everything, path), close: async () => {} });
  return {
    memory: {
      openBase: ({ authority, path }) => {
        const folder = `${authority}${path}`.replace(/^\/+/, "").replace(/([^/])$/, "$1/");
        return below(folder);
      },
      openSpec: (spec) => {
        checkSpecMembers(spec, []);
        return below(spec.path ?? "");
      },
    },
  };
}
