/**
 * LZ4 as zarr v2 stores it, a block with its decoded length in front, by numcodecs' wasm build.
 * @module
 */
type Lz4 = typeof import("numcodecs/lz4")["default"];

let loading: Promise<Lz4> | undefined;

function load(): Promise<Lz4> {
  loading ??= import("numcodecs/lz4").then((module) => module.default);
  return loading;
}

export async function encodeLz4(bytes: Uint8Array): Promise<Uint8Array> {
  const lz4 = await load();
  return lz4.fromConfig({ id: "lz4", acceleration: 1 }).encode(bytes);
}

export async function decodeLz4(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  if (bytes.length < 5) throw new Error(`lz4: ${bytes.length} bytes are too few`);
  const content = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  if (content > maxBytes) throw new Error(`lz4: the block holds ${content} bytes, more than the ${maxBytes} expected`);
  const lz4 = await load();
  const decoded = await lz4.fromConfig({ id: "lz4", acceleration: 1 }).decode(bytes);
  if (decoded.length !== content) throw new Error(`lz4: got ${decoded.length} bytes, the block tells ${content}`);
  return decoded;
}
