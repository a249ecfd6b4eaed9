const NAME_BYTES = 16;
/** The system is asked for many names at once: asking takes longer than all else that naming does. */
const randomness = new Uint8Array(64 * NAME_BYTES);
let used = randomness.length;

/** 128 random bits as 32 lower-case hexadecimal digits: names of data files and databases that nobody had before. */
export function randomHex(): string {
  if (used === randomness.length) {
    crypto.getRandomValues(randomness);
    used = 0;
  }
  let hex = "";
  for (const end = used + NAME_BYTES; used < end; used++) hex += randomness[used]!.toString(16).padStart(2, "0");
  return hex;
}
