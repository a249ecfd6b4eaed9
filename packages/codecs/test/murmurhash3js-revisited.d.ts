declare module "murmurhash3js-revisited" {
  const hashes: { x86: { hash128(bytes: number[], seed: number): string } };
  export default hashes;
}
