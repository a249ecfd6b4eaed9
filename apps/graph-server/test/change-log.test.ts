import type { Operation } from "@pcg/chunkedgraph";
import { expect, test } from "vitest";
import { summarize, tabulate, userOperations } from "../src/change-log.ts";
import { stringifyJson } from "../src/http/json-write.ts";

const ids = (...numbers: bigint[]): BigUint64Array => BigUint64Array.from(numbers);

test("operation numbers beyond 2^53 are written digit by digit", () => {
  const id = 2n ** 63n + 1n;
  const operation: Operation = {
    id,
    kind: "merge",
    status: "done",
    user: "__proto__",
    time: 1_700_000_000_000_000n,
    picks: [],
    supervoxels: ids(1n, 2n),
    addedEdges: ids(1n, 2n),
    oldRoots: ids(3n, 4n),
    newRoots: ids(5n),
    oldL2: ids(),
    newL2: ids(),
  };
  expect(stringifyJson(summarize([operation]))).toContain(`"operations_ids":[${id}]`);
  expect(stringifyJson(summarize([operation]))).toContain('"user_info":{"__proto__":{"n_splits":0,"n_mergers":1}}');
  expect(stringifyJson(tabulate([operation], true))).toContain(`"operation_id":{"0":${id}}`);
  expect(stringifyJson(userOperations([operation]))).toContain(`"operation_id":{"0":${id}}`);
});
