/** `1,234`, `45.6 k`, `7.8 M`: a count in a few signs. */
export function count(value: number): string {
  for (const [unit, name] of [
    [1e9, ' G'],
    [1e6, ' M'],
    [1e4, ' k'],
  ] as const) {
    const scale = name === ' k' ? 1e3 : unit;
    if (value >= unit) return `${Number((value / scale).toPrecision(3))}${name}`;
  }
  return value.toLocaleString('en-US', { maximumFractionDigits: 1 });
}
