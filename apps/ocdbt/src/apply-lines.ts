/**
 * Mutations as JSON lines, the input of `apply`.
 * @module
 */
import { compareKeys, printKey } from "@pcg/kvstore";
import type { Mutation, UpkeepProgress } from "@pcg/ocdbt";
import { decodeBase64 } from "./base64.ts";
import { UsageError } from "./errors.ts";
import { readLines } from "./lines.ts";

const FIELDS: Readonly<Record<string, readonly string[]>> = {
  put: ["keyBase64", "valueBase64"],
  delete: ["keyBase64"],
  deleteRange: ["startBase64", "endBase64"],
};

/**
 * Reads `{"op":"put","keyBase64","valueBase64"}`, `{"op":"delete","keyBase64"}` and
 * `{"op":"deleteRange","startBase64","endBase64"}`, one a line. Without `endBase64`, or with an empty one as TensorStore writes
 * ranges without an end, a range reaches to the last key.
 *
 * @throws UsageError naming the line, before anything is written.
 */
export async function readMutations(
  chunks: AsyncIterable<Uint8Array>,
  onProgress: (progress: UpkeepProgress) => void,
): Promise<Mutation[]> {
  const mutations: Mutation[] = [];
  for await (const { number, text } of readLines(chunks)) {
    mutations.push(parseMutation(text, number));
    onProgress({ phase: "mutations read", done: mutations.length });
  }
  return mutations;
}

function parseMutation(text: string, line: number): Mutation {
  const fail = (reason: string): UsageError => new UsageError(`line ${line}: ${reason}; nothing was applied`);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw fail(`${JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text)} is not JSON`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw fail("expected a JSON object");
  const { op, ...fields } = value as Record<string, unknown>;
  const known = typeof op === "string" && Object.hasOwn(FIELDS, op) ? FIELDS[op]! : undefined;
  if (known === undefined) throw fail(`"op" is ${JSON.stringify(op)}; expected put, delete or deleteRange`);
  for (const name of Object.keys(fields)) {
    if (!known.includes(name)) throw fail(`${op} has no member "${name}"; it has ${known.join(" and ")}`);
  }
  const bytes = (name: string): Uint8Array => {
    const encoded = fields[name];
    if (typeof encoded !== "string") throw fail(`${op} needs "${name}" as a base64 string`);
    const decoded = decodeBase64(encoded);
    if (decoded === undefined) throw fail(`"${name}" is not base64`);
    return decoded;
  };
  switch (op) {
    case "put":
      return { op, key: bytes("keyBase64"), value: bytes("valueBase64") };
    case "delete":
      return { op, key: bytes("keyBase64") };
    default: {
      const end = fields.endBase64 === undefined ? new Uint8Array() : bytes("endBase64");
      const start = bytes("startBase64");
      if (end.length > 0 && compareKeys(start, end) > 0) {
        throw fail(`the range ends, at ${printKey(end)}, before it starts, at ${printKey(start)}`);
      }
      return { op: "deleteRange", start, ...(end.length > 0 && { end }) };
    }
  }
}
