import { type TensorValue } from '../values.js';

/** In which sizes two shapes differ, in words; `from`: axes before it may. */
export function differing({ shape: a }: TensorValue, { shape: b }: TensorValue, from = 0): string {
  if (a.length !== b.length) return `${axes(a.length)} against ${axes(b.length)}`;
  const found = a.flatMap((n, i) => (i >= from && n !== b[i] ? [`${n} and ${b[i]} on axis ${i}`] : []));
  return found.join(', ');
}

function axes(count: number): string {
  return count === 1 ? 'one axis' : `${count} axes`;
}

/** What makes two images join that differ in their sizes a little, as a pool that rounded down leaves them, or in their channels. */
export function remedy(
  { shape: a }: TensorValue,
  { shape: b }: TensorValue,
  joins: 'add' | 'concat',
): string | undefined {
  if (a.length !== b.length)
    return a.length === 1 || b.length === 1
      ? 'put `flatten` before the other, too, or `reshape` before this one'
      : undefined;
  const rows = b.slice(1).map((n, i) => n - a[i + 1]!);
  if (a.length === 3 && rows.some((n) => n !== 0)) {
    const [down, right] = rows as [number, number];
    const isSmall = Math.max(Math.abs(down), Math.abs(right)) <= 3 && down * right >= 0;
    if (!isSmall) return 'strides and pools of the two paths must make the same of their sizes';
    const [smaller, larger] = down + right > 0 ? ['first', 'second'] : ['second', 'first'];
    return `a stride or pool rounded a size down that it doesn’t divide: put \`pad([0, 0, ${Math.abs(down)}, ${Math.abs(right)}])\` behind the ${smaller}, \`slice\` the ${larger}, or begin with a size that all of them divide`;
  }
  if (joins === 'concat' || a[0] === b[0]) return undefined;
  return a.length === 3
    ? `\`conv(${a[0]}, kernel: 1)\` or \`shortcut(x, ${a[0]})\` gives the second as many channels`
    : undefined;
}
