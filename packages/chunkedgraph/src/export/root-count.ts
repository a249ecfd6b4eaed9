import type { IdLayout } from "../ids.ts";

/** Root numbers of a page, one bit each. */
const PAGE = 1 << 16;

/**
 * Counts distinct roots. The roots of a graph are numbered from 1 up, so a bit for each is enough: 100 million take 13 MB.
 * Pages come as they are needed.
 */
export class RootCount {
  total = 0;
  private readonly layout: IdLayout;
  private readonly pages = new Map<number, Uint32Array>();

  constructor(layout: IdLayout) {
    this.layout = layout;
  }

  add(roots: BigUint64Array): void {
    let previous = 0n;
    for (const root of roots) {
      if (root === previous) continue;
      previous = root;
      // Segment numbers have at most 53 bits.
      this.addNumber(Number(this.layout.segmentOf(root)));
    }
  }

  private addNumber(number: number): void {
    const key = Math.floor(number / PAGE);
    let page = this.pages.get(key);
    if (page === undefined) {
      page = new Uint32Array(PAGE / 32);
      this.pages.set(key, page);
    }
    const bit = number % PAGE;
    const mask = 1 << (bit & 31);
    if ((page[bit >>> 5]! & mask) !== 0) return;
    page[bit >>> 5]! |= mask;
    this.total++;
  }
}
