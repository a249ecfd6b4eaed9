/**
 * Serves the bundled page from this origin: nothing is fetched from elsewhere, and the policy sent along forbids it.
 * @module
 */
import { readdir, readFile } from "node:fs/promises";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { Hono } from "hono";

/** Where `vite build` puts the page. */
const bundle = new URL("./page/", import.meta.url);

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".wasm": "application/wasm",
  ".svg": "image/svg+xml",
};

/**
 * `unsafe-eval` is for Neuroglancer's encoder of raw 64-bit chunks, which builds its code at run time; everything else is
 * limited to this origin.
 */
const policy = [
  "default-src 'none'",
  "script-src 'self' 'wasm-unsafe-eval' 'unsafe-eval'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "worker-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** Routes `/` and `/assets/…`. The files are listed once, so a request can only name one of them. */
export async function pageRoutes(): Promise<Hono> {
  const files = new Set(await listFiles());
  if (!files.has("index.html")) {
    throw new Error(`the page is not bundled (no index.html in ${fileURLToPath(bundle)}); run: npm run build`);
  }
  const app = new Hono();
  for (const file of files) {
    app.get(file === "index.html" ? "/" : `/${file}`, async (context) => {
      context.header("Content-Type", types[extname(file)] ?? "application/octet-stream");
      context.header("Content-Security-Policy", policy);
      context.header("X-Content-Type-Options", "nosniff");
      context.header("Referrer-Policy", "no-referrer");
      // Bundled names carry a hash of their content; the page itself names the present ones.
      context.header("Cache-Control", file === "index.html" ? "no-cache" : "public, max-age=31536000, immutable");
      return context.body(new Uint8Array(await readFile(new URL(file, bundle))));
    });
  }
  return app;
}

async function listFiles(): Promise<string[]> {
  try {
    const entries = await readdir(bundle, { recursive: true, withFileTypes: true });
    const below = fileURLToPath(bundle).length;
    return entries
      .filter((entry) => entry.isFile() && !entry.name.startsWith("."))
      .map((entry) => `${entry.parentPath}/${entry.name}`.slice(below).replaceAll("\\", "/").replace(/^\/+/, ""));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}
