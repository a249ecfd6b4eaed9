import type { KvDrivers } from "../open.ts";
import { withPrefix } from "../prefix.ts";
import { checkSpecMembers } from "../spec.ts";
import { kvStack } from "./kv-stack.ts";
import { openLayers } from "./spec.ts";

/**
 * Driver of `{"driver": "kvstack", "layers": [{"base": …, "prefix": …}, …]}`, TensorStore's form of {@link kvStack}, and of the
 * same in a pipeline URL, `kvstack:<percent-encoded JSON>/path/`. The bases are opened with the drivers it is used with.
 */
export function kvStackDriver(): KvDrivers {
  return {
    kvstack: {
      openSpec: async (spec, open) => {
        checkSpecMembers(spec, ["layers"]);
        const stack = kvStack(await openLayers(spec, open));
        return spec.path === undefined || spec.path === "" ? stack : withPrefix(stack, spec.path);
      },
    },
  };
}
