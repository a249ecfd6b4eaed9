/**
 * Blosc by numcodecs' wasm build, which is loaded at first use. The header is checked before wasm sees the bytes.
 * @module
 */
type Blosc = typeof import("numcodecs/blosc")["default"];
export type BloscOptions = Omit<Parameters<Blosc["fromConfig"]>[0], "id">;

let loading: Promise<Blosc> | undefined;

function load(): Promise<Blosc> {
  loading ??= import("numcodecs/blosc").then((module) => module.default);
  return loading;
}

/** Length of a frame's header: versions, flags, type size, then the lengths of content, blocks and frame. */
const headerLength = 16;

export async function encodeBlosc(bytes: Uint8Array, options: BloscOptions): Promise<Uint8Array> {
  const blosc = await load();
  return blosc.fromConfig({ ...options, id: "blosc" }).encode(bytes);
}

export async function decodeBlosc(bytes: Uint8Array, maxBytes: number): Promise<Uint8Array> {
  if (bytes.length < headerLength) throw new Error(`blosc: ${bytes.length} bytes are too few for a header`);
  const header = new DataView(bytes.buffer, bytes.byteOffset, headerLength);
  const version = header.getUint8(0);
  const content = header.getUint32(4, true);
  const stored = header.getUint32(12, true);
  if (version !== 1 && version !== 2) throw new Error(`blosc: format version ${version} is unknown`);
  if (stored !== bytes.length) throw new Error(`blosc: the header tells ${stored} bytes, there are ${bytes.length}`);
  if (content > maxBytes)
    throw new Error(`blosc: the frame holds ${content} bytes, more than the ${maxBytes} expected`);
  if (content === 0) return new Uint8Array(0);
  const blosc = await load();
  const decoded = await blosc.fromConfig({ id: "blosc" }).decode(bytes);
  if (decoded.length !== content) throw new Error(`blosc: got ${decoded.length} bytes, the header tells ${content}`);
  return decoded;
}
