import { unzlibSync, zlibSync } from "fflate";

export function encodeZlib(bytes: Uint8Array, level: number): Uint8Array {
  return zlibSync(bytes, { level: level as 6 });
}

/** Throws beyond `maxBytes` and when the Adler-32 checksum does not match (fflate itself checks neither). */
export function decodeZlib(bytes: Uint8Array, maxBytes: number): Uint8Array {
  if (bytes.length < 6) throw new Error(`zlib: ${bytes.length} bytes are too few`);
  // fflate stops at the end of a buffer that it is given; one byte more shows that there was more.
  const content = unzlibSync(bytes, { out: new Uint8Array(maxBytes + 1) });
  if (content.length > maxBytes) throw new Error(`zlib: the stream holds more than the ${maxBytes} bytes expected`);
  const stored = new DataView(bytes.buffer, bytes.byteOffset).getUint32(bytes.length - 4);
  if (adler32(content) !== stored) throw new Error("zlib: the checksum does not match the content");
  return content;
}

function adler32(bytes: Uint8Array): number {
  let a = 1;
  let b = 0;
  for (let start = 0; start < bytes.length; start += 3800) {
    // 3800 bytes are the most whose sums stay below 2^32.
    const end = Math.min(start + 3800, bytes.length);
    for (let i = start; i < end; i++) {
      a += bytes[i]!;
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return b * 65536 + a;
}
