/**
 * How long a zstd frame is (RFC 8878 §3.1.1), found from its headers. An envelope holds exactly one frame, while
 * decompressors join all they are given.
 * @module
 */

const FRAME_MAGIC = 0xfd2fb528;

/** Bytes of the frame that begins `bytes`; `undefined` when none does, or when it does not end within them. */
export function zstdFrameLength(bytes: Uint8Array): number | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 6 || view.getUint32(0, true) !== FRAME_MAGIC) return undefined;
  const descriptor = bytes[4]!;
  const singleSegment = (descriptor & 0x20) !== 0;
  const sizeFlag = descriptor >>> 6;
  const sizeBytes = sizeFlag === 0 ? (singleSegment ? 1 : 0) : 1 << sizeFlag;
  const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
  let offset = 5 + (singleSegment ? 0 : 1) + dictionaryBytes + sizeBytes;
  for (;;) {
    if (offset + 3 > bytes.length) return undefined;
    const header = bytes[offset]! | (bytes[offset + 1]! << 8) | (bytes[offset + 2]! << 16);
    const runLength = ((header >>> 1) & 3) === 1;
    offset += 3 + (runLength ? 1 : header >>> 3);
    if ((header & 1) === 1) break;
  }
  if ((descriptor & 4) !== 0) offset += 4;
  return offset <= bytes.length ? offset : undefined;
}
