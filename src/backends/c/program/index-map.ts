/** The C expression for where an operand's element is, of the element at `index` of a result that it broadcasts to. */
export function operandIndex(index: string, result: readonly number[], operand: readonly number[]): string {
  const rank = result.length;
  const own = Array.from({ length: rank }, (_, i) => operand[i - rank + operand.length] ?? 1);
  if (own.every((size) => size === 1)) return '0';
  if (own.every((size, i) => size === result[i])) return index;
  const terms: string[] = [];
  let [inner, stride, at] = [1, 1, rank - 1];
  while (at >= 0) {
    const repeats = own[at] === 1;
    let size = 1;
    // neighbouring axes that are all repeated, or none of them
    while (at >= 0 && (result[at] === 1 || (own[at] === 1) === repeats)) size *= result[at--]!;
    if (!repeats) {
      const moved = inner === 1 ? index : `${index} / ${inner}u`;
      const inside = at < 0 ? `(${moved})` : `((${moved}) % ${size}u)`;
      terms.push(stride === 1 ? inside : `${inside} * ${stride}u`);
      stride *= size;
    }
    inner *= size;
  }
  return terms.length === 1 ? terms[0]! : `(${terms.join(' + ')})`;
}
