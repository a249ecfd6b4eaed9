/**
 * How an upper store says that a key of the lower one is deleted.
 *
 * The mark is a value in the place of the key's own, so that one key decides what shows: putting, replacing, deleting are each one
 * conditional write of one key, and no crash comes between. For lists, which see keys and not values, a second key says which
 * values may be marks: `.deleted/` before the key. It is written before the mark, stays when the mark is replaced, and means no
 * more than "look". A crash between the two leaves the old state.
 * @module
 */
import { joinKeys, keyBytes } from "../keys.ts";

/** What the keys begin with that say where marks may be. */
export const hintPrefix: Uint8Array = keyBytes(".deleted/");

/** The mark: some text, and bytes drawn once for it, so that no other value is like it. */
export const tombstone: Uint8Array = Uint8Array.from([
  ...keyBytes("pcg overlay: deleted\n"),
  ...[0xb7, 0x1e, 0x93, 0x5c, 0xd4, 0x08, 0xea, 0x62, 0x2f, 0xc9, 0x76],
]);

/** Whether a whole value is the mark. */
export function isTombstone(value: Uint8Array): boolean {
  return value.length === tombstone.length && value.every((byte, i) => byte === tombstone[i]);
}

/** The key that says where to look. */
export function hintKey(key: Uint8Array): Uint8Array {
  return joinKeys(hintPrefix, key);
}
