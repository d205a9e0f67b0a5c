/** At most three significant digits, with k, M, G behind. */
export function short(n: number): string {
  for (const [unit, name] of [
    [1e12, 'T'],
    [1e9, 'G'],
    [1e6, 'M'],
    [1e3, 'k'],
  ] as const) {
    if (Math.abs(n) >= unit) return `${Number((n / unit).toPrecision(3))} ${name}`;
  }
  return String(Number(n.toPrecision(3)));
}

/** Five significant digits. */
export function digits(value: number): string {
  return String(Number(value.toPrecision(5)));
}

export function decibels(value: number | undefined): string | undefined {
  return value === undefined ? undefined : `${value.toFixed(2)} dB`;
}

/** Width of a bar's place, so that `count` of them fit the page. */
export function barStep(count: number, widest: number): number {
  return Math.max(7, Math.min(widest, Math.floor(1060 / Math.max(1, count))));
}

/** The last part of a text where it is too long. */
export function tail(text: string, most: number): string {
  return text.length <= most ? text : `…${text.slice(text.length - most + 1)}`;
}
