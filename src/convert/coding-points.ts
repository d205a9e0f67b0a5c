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
  signed: points('signed', 7, 15, 31, 63),
  offset: points('offset', 8, 16, 32),
  mbif: points('mbif', 1, 2, 4, 8, 16),
  ibra: points('ibra', 1),
  binary: points('binary', 4, 6, 8),
  phase: points('phase', 8, 16, 32, 64),
  burst: points('burst', 8, 16, 32, 64),
  ttfs: points('ttfs', 8, 16, 64),
  ttfs_dynamic: points('ttfs_dynamic', 8, 16, 32),
  tsc: points('tsc', 8, 16, 32, 64),
  pattern: points('pattern', 4, 6, 8),
};

/** What is tried of each coding where one is chosen. */
export const triedPoints: Readonly<Record<ConversionCoding, readonly CodingPoint[]>> = {
  sws: [3, 4, 5, 6, 7, 8].flatMap((steps) =>
    [0, 1, 2, 3].flatMap((silent): CodingPoint[] => [
      { coding: 'sws', steps, silent },
      ...(silent % 2 === 0 ? [{ coding: 'sws', steps, silent, threshold: 'full' } as const] : []),
    ]),
  ),
  rate: points('rate', 2, 4, 8, 16, 32, 64, 128),
  signed: points('signed', 3, 7, 15, 31, 63),
  offset: points('offset', 4, 8, 16, 32),
  mbif: points('mbif', 1, 2, 4, 8, 16),
  ibra: points('ibra', 1),
  binary: points('binary', 2, 3, 4, 5, 6, 8),
  phase: points('phase', 8, 16, 32, 64),
  burst: points('burst', 4, 8, 16, 32, 64),
  ttfs: points('ttfs', 4, 8, 16, 32, 64),
  ttfs_dynamic: points('ttfs_dynamic', 4, 8, 16, 32),
  tsc: points('tsc', 4, 8, 16, 32, 64),
  pattern: points('pattern', 3, 4, 5, 6, 8),
};

/** What is compared of SWS where residuals are asked for: Tc = 8 with the threshold θ or θ/2 and Ts = 0 or 2 (SWS Fig. 5). */
const ofResiduals: readonly CodingPoint[] = [0, 2].flatMap((silent) => [
  { coding: 'sws', steps: 8, silent, threshold: 'full' },
  { coding: 'sws', steps: 8, silent },
]);

/** `sws, rate:16, sws:4/2, sws:8/0/full`: codings with all their usual points, with steps, with a silent period, with a threshold. */
export function codingPoints(text?: string, residuals = false): readonly CodingPoint[] {
  if (text === undefined && residuals) return ofResiduals;
  if (text === undefined) return conversionCodings.flatMap((coding) => usual[coding]);
  return text.split(',').flatMap((part) => {
    const [, name = '', steps, silent, threshold] =
      /^\s*([^:/\s]*)(?::(\d+)(?:\/(\d+)(?:\/(half|full))?)?)?\s*$/.exec(part) ?? [];
    const coding = conversionCodings.find((one) => one === name);
    if (coding === undefined || Number(steps ?? 1) < 1 || (silent !== undefined && coding !== 'sws')) {
      const problem = `"${part.trim()}" is no coding to compare; a coding is a name, NAME:STEPS, sws:STEPS/SILENT or sws:STEPS/SILENT/full`;
      return fail('cli/usage', { problem }, undefined, { help: suggest(name, conversionCodings) });
    }
    if (steps === undefined) return usual[coding];
    if (coding !== 'sws') return [{ coding, steps: Number(steps) }];
    const period = Number(silent ?? Math.min(2, Number(steps)));
    return [{ coding, steps: Number(steps), silent: period, ...(threshold === 'full' ? { threshold } : {}) }];
  });
}

/** `sws 8/2`, `sws 8/2 θ`, `rate 16` */
export function pointName({ coding, steps, silent, threshold, layers }: CodingPoint): string {
  if (layers !== undefined) return `${coding} ${steps} by layer`;
  return `${coding} ${steps}${silent === undefined ? '' : `/${silent}`}${threshold === 'full' ? ' θ' : ''}`;
}
