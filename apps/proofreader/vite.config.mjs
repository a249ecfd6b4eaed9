import { fileURLToPath } from "node:url";
import { defaultClientConditions, defineConfig } from "vite";

/**
 * Neuroglancer starts its workers with a comment between `new Worker(` and `new URL(`, which Vite does not recognise; the
 * build would succeed and the page would be dead.
 */
const exposeWorkers = () => ({
  name: "neuroglancer-workers",
  enforce: "pre",
  transform(code, id) {
    if (!id.includes("/neuroglancer/lib/") || !code.includes("new Worker(")) return undefined;
    return { code: code.replace(/\/\* webpackChunkName:.*?\*\//g, ""), map: null };
  },
});

const features = {
  datasource: ["graphene", "precomputed", "zarr"],
  kvstore: ["http", "ocdbt", "gzip", "byte_range"],
  layer: ["image", "segmentation", "annotation"],
};

export default defineConfig({
  root: fileURLToPath(new URL("page/", import.meta.url)),
  base: "",
  plugins: [exposeWorkers()],
  worker: { format: "es", plugins: () => [exposeWorkers()] },
  resolve: {
    alias: { "ikonate/icons": fileURLToPath(new URL("page/icons/", import.meta.url)) },
    conditions: [
      ...defaultClientConditions,
      ...Object.entries(features).flatMap(([kind, names]) => [
        `neuroglancer/${kind}:none_by_default`,
        ...names.map((name) => `neuroglancer/${kind}/${name}:enabled`),
      ]),
    ],
  },
  build: {
    outDir: fileURLToPath(new URL("dist/page/", import.meta.url)),
    emptyOutDir: true,
    target: "es2022",
    chunkSizeWarningLimit: 4000,
  },
});
