import { formatUrl, type KvStore, openKvStore, parseUrl } from "@pcg/kvstore";
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
    if (info.type === "image") return store;
    throw new Error(`--image ${url} is a ${info.type}; give a precomputed volume of type image`);
  } catch (error) {
    await store.close();
    throw error;
  }
}
