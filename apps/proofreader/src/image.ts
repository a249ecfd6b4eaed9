import { gunzip } from "@pcg/codecs/gzip";
import {
  formatUrl,
  type Key,
  type KvStore,
  keyText,
  openKvStore,
  parseUrl,
  type ReadOptions,
  resolveByteRange,
} from "@pcg/kvstore";
import { fileDriver } from "@pcg/kvstore/file";
import { httpDriver } from "@pcg/kvstore/http";
import { readInfo } from "neuroglancer-precomputed";

/** Opens a precomputed image; the server passes its files on as they are. */
export async function openImage(url: string): Promise<KvStore> {
  const parsed = parseUrl(url);
  const last = parsed.stages.at(-1);
  const stages = last?.scheme === "neuroglancer-precomputed" ? parsed.stages.slice(0, -1) : parsed.stages;
  const store = await openKvStore(formatUrl({ base: parsed.base, stages }), { ...fileDriver(), ...httpDriver() });
  try {
    const { info } = await readInfo(store);
    if (info.type === "image") return withUnpacked(store);
    throw new Error(`--image ${url} is a ${info.type}; give a precomputed volume of type image`);
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** Largest image file, unpacked. */
const MAX_FILE_BYTES = 2 ** 28;

/**
 * Some writers compress files on disk under a second name, `NAME.gz`; viewers ask for NAME. Reads of such a file give its
 * contents.
 */
function withUnpacked(store: KvStore): KvStore {
  const read = async (key: Key, options: ReadOptions = {}) => {
    const plain = await store.read(key, options);
    if (plain !== undefined) return plain;
    const name = keyText(key);
    if (name === undefined) return undefined;
    const { range, ...rest } = options;
    const packed = await store.read(`${name}.gz`, rest);
    if (packed === undefined) return undefined;
    const whole = gunzip(packed.value, { maxBytes: MAX_FILE_BYTES });
    const { start, end } = resolveByteRange(range, whole.length);
    return { ...packed, value: whole.subarray(start, end), size: whole.length };
  };
  return {
    capabilities: store.capabilities,
    url: store.url,
    read: read as KvStore["read"],
    write: store.write.bind(store),
    list: store.list.bind(store),
    deleteRange: store.deleteRange.bind(store),
    close: store.close.bind(store),
  };
}
