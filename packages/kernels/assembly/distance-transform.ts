// Exact squared Euclidean distances by lower envelopes of parabolas, one axis after the other (Felzenszwalb and Huttenlocher,
// "Distance transforms of sampled functions", 2012), with a voxel size per axis.
//
// `out` holds one f32 per voxel, x fastest, +Infinity where there is no background on the lines seen so far. Behind it, in
// `lines`: sixteen columns of f64 values, then the envelope of one column: f64 where each parabola begins, i32 its place.

const COLUMNS: u32 = 16;

let out: usize = 0;
let lines: usize = 0;
let starts: usize = 0;
let places: usize = 0;
let longest: u32 = 0;

/** Sets where things lie; `longest` is the longer of the sizes along y and z. Returns the end of the memory used. */
export function start(outAt: usize, linesAt: usize, longestLine: u32): usize {
  out = outAt;
  lines = linesAt;
  longest = longestLine;
  starts = lines + <usize>COLUMNS * longest * 8;
  places = starts + <usize>(longest + 1) * 8;
  return places + <usize>longest * 4;
}

/** The x axis: `rows` rows of mask bytes (0 = background), `sx` each, to squared distances from row `firstRow` on. */
export function alongX(mask: usize, firstRow: u32, rows: u32, sx: u32, step: f64): void {
  for (let row: u32 = 0; row < rows; row++) {
    const from = mask + <usize>row * sx;
    const to = out + (<usize>firstRow + row) * sx * 4;
    // Voxels since the last background voxel; sx or more: none yet.
    let away: u32 = sx;
    for (let x: u32 = 0; x < sx; x++) {
      away = load<u8>(from + x) == 0 ? 0 : away + 1;
      const distance = <f64>away * step;
      store<f32>(to + (<usize>x << 2), away >= sx ? f32.MAX_VALUE : <f32>(distance * distance));
    }
    away = sx;
    for (let x: i32 = <i32>sx - 1; x >= 0; x--) {
      const at = to + (<usize>x << 2);
      away = load<u8>(from + x) == 0 ? 0 : away + 1;
      const distance = <f64>away * step;
      const there = load<f32>(at);
      const here = away >= sx ? f32.MAX_VALUE : <f32>(distance * distance);
      const nearest = min(here, there);
      store<f32>(at, nearest == f32.MAX_VALUE ? Infinity : nearest);
    }
  }
}

/**
 * Another axis: the columns that start at voxels `first` to `first + columns`, next to each other in memory, each of `length`
 * voxels `stride` apart.
 */
export function alongColumns(first: u32, columns: u32, length: u32, stride: u32, step: f64): void {
  for (let done: u32 = 0; done < columns; done += COLUMNS) {
    const n = min(COLUMNS, columns - done);
    const corner = out + (<usize>first + done) * 4;
    const jump = <usize>stride * 4;
    for (let i: u32 = 0, at = corner; i < length; i++, at += jump) {
      for (let c: u32 = 0; c < n; c++) {
        store<f64>(lines + ((<usize>c * longest + i) << 3), <f64>load<f32>(at + (<usize>c << 2)));
      }
    }
    for (let c: u32 = 0; c < n; c++) {
      envelope(lines + ((<usize>c * longest) << 3), length, corner + (<usize>c << 2), jump, step);
    }
  }
}

/** Writes min over j of line[j] + (step·(i−j))² for each i. */
// @ts-ignore: decorator
@inline
function envelope(line: usize, length: u32, to: usize, jump: usize, step: f64): void {
  const area = step * step;
  let top: i32 = -1;
  for (let q: u32 = 0; q < length; q++) {
    const height = load<f64>(line + (<usize>q << 3));
    if (height == Infinity) continue;
    let from = -Infinity;
    while (top >= 0) {
      const p = load<i32>(places + (<usize>top << 2));
      const rise = height - load<f64>(line + (<usize>p << 3));
      // Where parabola q passes below parabola p, in voxels.
      from = 0.5 * (rise / (area * <f64>(<i32>q - p)) + <f64>(<i32>q + p));
      if (from > load<f64>(starts + (<usize>top << 3))) break;
      top--;
      from = -Infinity;
    }
    top++;
    store<i32>(places + (<usize>top << 2), q);
    store<f64>(starts + (<usize>top << 3), from);
  }
  if (top < 0) return; // No background yet: all stay infinite.
  store<f64>(starts + (<usize>(top + 1) << 3), Infinity);
  let k: i32 = 0;
  for (let i: u32 = 0; i < length; i++, to += jump) {
    while (load<f64>(starts + (<usize>(k + 1) << 3)) < <f64>i) k++;
    const p = load<i32>(places + (<usize>k << 2));
    const away = <f64>(<i32>i - p);
    store<f32>(to, <f32>(load<f64>(line + (<usize>p << 3)) + area * away * away));
  }
}

/** Square roots of the `n` values from voxel `first` on. */
export function roots(first: u32, n: u32): void {
  let at = out + <usize>first * 4;
  const end = at + <usize>n * 4;
  for (; at + 16 <= end; at += 16) v128.store(at, f32x4.sqrt(v128.load(at)));
  for (; at < end; at += 4) store<f32>(at, sqrt<f32>(load<f32>(at)));
}
