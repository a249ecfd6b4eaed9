/** 128 random bits as 32 lower-case hexadecimal digits: names of data files and databases that nobody had before. */
export function randomHex(): string {
  let hex = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(16))) hex += byte.toString(16).padStart(2, "0");
  return hex;
}
