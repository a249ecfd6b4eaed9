/** The one thing that is no neurite: a blood vessel along z. Nothing in it is labelled. */
const radiusNm = 420;

/** Distance in nm from the vessel's wall, negative inside; `extent` is the box in nm. */
export function capillaryDistance(x: number, y: number, z: number, extent: readonly [number, number, number]): number {
  const centreX = extent[0] * (0.72 + 0.08 * Math.sin(z / 1900));
  const centreY = extent[1] * (0.3 + 0.1 * Math.cos(z / 2300));
  return Math.hypot(x - centreX, (y - centreY) * 1.25) - radiusNm;
}
