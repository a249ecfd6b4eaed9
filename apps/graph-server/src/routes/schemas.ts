/** Pieces of the answers in the OpenAPI document. @module */
import { z } from "@hono/zod-openapi";

/** A 64-bit id: a number above 2^53 for most clients, a string with `int64_as_str`. */
export const idSchema = z.union([z.int(), z.string()]).openapi("Id", {
  description: "64-bit id: exact digits, or a string with int64_as_str=1",
});
export const idsSchema = z.array(idSchema);
export const pointSchema = z.array(z.number()).length(3);
export const editSchema = z.object({ operation_id: idSchema, new_root_ids: idsSchema });
