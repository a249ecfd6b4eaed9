/**
 * Reading response bodies within bounds.
 * @module
 */

/** Why a body could not be taken. */
export class BodyTooLarge extends Error {}

/**
 * Bytes `[skip, skip + limit)` of a body; reading stops there. Memory: the bytes returned, twice while joining them.
 *
 * @param overflow what to do with bytes after those: `"cut"` drops the connection, `"fail"` throws {@link BodyTooLarge}.
 */
export async function readBody(
  response: Response,
  { skip, limit, overflow }: { skip: number; limit: number; overflow: "cut" | "fail" },
): Promise<Uint8Array> {
  if (response.body === null) return new Uint8Array(0);
  const reader = response.body.getReader();
  const parts: Uint8Array[] = [];
  let position = 0;
  let kept = 0;
  try {
    while (kept < limit || overflow === "fail") {
      const { done, value } = await reader.read();
      if (done) break;
      const part = value.subarray(Math.min(value.length, Math.max(0, skip - position)));
      position += value.length;
      if (kept + part.length > limit && overflow === "fail") throw new BodyTooLarge();
      const wanted = part.subarray(0, limit - kept);
      if (wanted.length > 0) parts.push(wanted);
      kept += wanted.length;
    }
  } finally {
    // Also after a failure: whatever still comes is of no use.
    await reader.cancel().catch(() => undefined);
  }
  if (parts.length === 1 && parts[0]!.byteLength === parts[0]!.buffer.byteLength) return parts[0]!;
  const whole = new Uint8Array(kept);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
