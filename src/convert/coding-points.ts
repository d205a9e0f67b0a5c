import { fail } from '../base/diagnostics/index.js';
import { suggest } from '../base/did-you-mean.js';
import type { CodingPoint } from '../run/compared-codings.js';
import { type ConversionCoding, conversionCodings } from '../workspace/types.js';

const points = (coding: ConversionCoding, ...steps: readonly number[]): readonly CodingPoint[] =>
  steps.map((one) => ({ coding, steps: one }));

/** What is compared where nothing is said: each coding from few steps to as many as it is used with. */
const usual: Readonly<Record<ConversionCoding, readonly CodingPoint[]>> = {
  sws: [
    ...[4, 6].map((steps) => ({ coding: 'sws', steps, silent: 2 }) as const),
    ...[0, 1, 2, 3, 4].map((silent) => ({ coding: 'sws', steps: 8, silent }) as const),
  ],
  rate: points('rate', 8, 16, 32, 64),
  mbif: points('mbif', 1, 2, 4, 8, 16),
  ibra: points('ibra', 1),
  binary: points('binary', 4, 6, 8),
  phase: points('phase', 8, 16, 32, 64),
  burst: points('burst', 8, 16, 32, 64),
  ttfs: points('ttfs', 8, 16, 64),
  tsc: points('tsc', 8, 16, 32, 64),
  pattern: points('pattern', 4, 6, 8),
};

/** `sws, rate:16, sws:4/2`: codings with all their usual points, with steps, or with steps and a silent period. */
export function codingPoints(text?: string): readonly CodingPoint[] {
  if (text === undefined) return conversionCodings.flatMap((coding) => usual[coding]);
  return text.split(',').flatMap((part) => {
    const [, name = '', steps, silent] = /^\s*([^:/\s]*)(?::(\d+)(?:\/(\d+))?)?\s*$/.exec(part) ?? [];
    const coding = conversionCodings.find((one) => one === name);
    if (coding === undefined || Number(steps ?? 1) < 1 || (silent !== undefined && coding !== 'sws')) {
      const problem = `"${part.trim()}" is no coding to compare; a coding is a name, NAME:STEPS, or sws:STEPS/SILENT`;
      return fail('cli/usage', { problem }, undefined, { help: suggest(name, conversionCodings) });
    }
    if (steps === undefined) return usual[coding];
    if (coding !== 'sws') return [{ coding, steps: Number(steps) }];
    return [{ coding, steps: Number(steps), silent: Number(silent ?? Math.min(2, Number(steps))) }];
  });
}

/** `sws 8/2`, `rate 16` */
export function pointName({ coding, steps, silent }: CodingPoint): string {
  return `${coding} ${steps}${silent === undefined ? '' : `/${silent}`}`;
}
