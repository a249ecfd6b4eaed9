/** Lets Node load Neuroglancer's modules, which are made for bundlers: they name exports of a CommonJS package. */
export async function resolve(specifier, context, next) {
  const resolved = await next(specifier, context);
  if (specifier !== "crc-32/crc32c.js" || context.parentURL.startsWith("data:")) return resolved;
  const source = `import crc from ${JSON.stringify(resolved.url)}; export const buf = crc.buf;`;
  return { url: `data:text/javascript,${encodeURIComponent(source)}`, shortCircuit: true };
}
