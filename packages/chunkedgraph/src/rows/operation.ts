/**
 * The operation log: what was asked, what it was understood to mean, what it changed or why it was refused.
 * @module
 */
import type { Bytes, Column } from "@pcg/rowstore";
import { z } from "zod";
import type { Operation } from "../contract.ts";
import { column, idKey, idKeys, KIND } from "./keys.ts";
import { corrupt, packJson, unpackJson } from "./values.ts";

export const LOG: Column = column("o");

export function operationKey(id: bigint): Bytes {
  return idKey(KIND.operation, id);
}

export function operationKeys(ids: BigUint64Array): Bytes[] {
  return idKeys(KIND.operation, ids);
}

const u64 = z
  .string()
  .regex(/^(0|[1-9]\d{0,19})$/)
  .transform(BigInt)
  .refine((id) => id < 1n << 64n);
const u64s = z.array(u64).transform((ids) => BigUint64Array.from(ids));
const point = z.tuple([z.number(), z.number(), z.number()]);

const schema = z.object({
  id: u64,
  kind: z.literal("merge"),
  status: z.literal(["done", "refused"]),
  user: z.string(),
  time: u64,
  refusal: z.object({ code: z.string(), message: z.string() }).optional(),
  picks: z.array(z.object({ id: u64, position: point })),
  supervoxels: u64s,
  addedEdges: u64s,
  oldRoots: u64s,
  newRoots: u64s,
  oldL2: u64s,
  newL2: u64s,
});

export function encodeOperation(operation: Operation): Uint8Array {
  return packJson(operation);
}

export function decodeOperation(value: Uint8Array): Operation {
  const result = schema.safeParse(unpackJson(value));
  if (!result.success) throw corrupt("an operation of the log is incomplete", result.error);
  const { refusal, ...operation } = result.data;
  return refusal === undefined ? operation : { ...operation, refusal };
}
