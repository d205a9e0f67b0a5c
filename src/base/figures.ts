/** A number as a whole one with thousands apart: `1,234`. */
export function count(n: number): string {
  return Math.round(n).toLocaleString('en');
}

/** A fraction in percent: `93.41 %`. */
export function percent(fraction: number, digits = 2): string {
  return `${(100 * fraction).toFixed(digits)} %`;
}
