/** Left, top, right and bottom in pixels. */
export type Edges = readonly [left: number, top: number, right: number, bottom: number];

/** How an image lies in a frame of another size: scaled by one factor to fit, in the middle, grey around it. */
export interface Letterbox {
  /** Rows and columns of the image, of the frame, and of the scaled image in it. */
  readonly from: readonly [number, number];
  readonly to: readonly [number, number];
  readonly size: readonly [number, number];
  readonly top: number;
  readonly left: number;
}

/** What is around an image, as YOLO has it. */
const around = 114;

/** The largest scaled image that a frame has room for; a row or column that is left over goes below or to the right. */
export function letterbox(from: readonly [number, number], to: readonly [number, number]): Letterbox {
  const factor = Math.min(to[0] / from[0], to[1] / from[1]);
  const [rows, columns] = from.map((n) => Math.max(1, Math.round(n * factor))) as [number, number];
  return {
    from,
    to,
    size: [rows, columns],
    top: Math.floor((to[0] - rows) / 2),
    left: Math.floor((to[1] - columns) / 2),
  };
}

/**
 * Bytes [channels, rows, columns] in their frame. A pixel is interpolated linearly between the four whose centres are around it,
 * without smoothing (PyTorch's `bilinear`, OpenCV's `INTER_LINEAR`), and rounded; at factor 1 it stays.
 */
export function framedImage(values: Uint8Array, channels: number, { from, to, size, top, left }: Letterbox): Uint8Array {
  if (from.join() === to.join()) return values;
  const made = new Uint8Array(channels * to[0] * to[1]).fill(around);
  const [down, across] = [tapsOf(from[0], size[0]), tapsOf(from[1], size[1])];
  for (let c = 0; c < channels; c++) {
    const plane = values.subarray(c * from[0] * from[1], (c + 1) * from[0] * from[1]);
    down.forEach((row, y) => {
      const [above, below] = [row.first * from[1], row.second * from[1]];
      const start = (c * to[0] + top + y) * to[1] + left;
      across.forEach(({ first, second, share }, x) => {
        const upper = plane[above + first]! * (1 - share) + plane[above + second]! * share;
        const lower = plane[below + first]! * (1 - share) + plane[below + second]! * share;
        made[start + x] = Math.round(upper * (1 - row.share) + lower * row.share);
      });
    });
  }
  return made;
}

interface Taps {
  readonly first: number;
  readonly second: number;
  /** Of the second. */
  readonly share: number;
}

function tapsOf(from: number, to: number): readonly Taps[] {
  return Array.from({ length: to }, (_, i) => {
    const at = Math.min(from - 1, Math.max(0, ((i + 0.5) * from) / to - 0.5));
    const first = Math.floor(at);
    return { first, second: Math.min(first + 1, from - 1), share: at - first };
  });
}

/** A box of the image in the frame's pixels. */
export function framedBox([left, top, right, bottom]: Edges, box: Letterbox): Edges {
  const [high, wide] = [box.size[0] / box.from[0], box.size[1] / box.from[1]];
  return [left * wide + box.left, top * high + box.top, right * wide + box.left, bottom * high + box.top];
}

/** A box of the frame in the image's pixels, cut at the image's border. */
export function boxInImage([left, top, right, bottom]: Edges, { from, size, ...box }: Letterbox): Edges {
  const [high, wide] = [from[0] / size[0], from[1] / size[1]];
  const within = (value: number, most: number): number => Math.min(most, Math.max(0, value));
  const column = (x: number): number => within((x - box.left) * wide, from[1]);
  const row = (y: number): number => within((y - box.top) * high, from[0]);
  return [column(left), row(top), column(right), row(bottom)];
}
