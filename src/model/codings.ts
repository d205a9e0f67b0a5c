import type { Parameter, Setting } from './schema.js';
import type { Written } from './typed-settings.js';

const manySteps = { kind: 'int', min: 1, max: 4096 } as const;
const steps = { name: 'steps', spec: manySteps, required: true } as const;
/** The largest size of the input that the encoder's spikes stand for; 0: the real input is a constant current. */
const input = { name: 'input', spec: { kind: 'real', min: 0 }, default: 0 } as const;
const silentSteps = { kind: 'int', min: 0, max: 24 } as const;

/** The codings (docs/language.md, codings) and their arguments. */
export const codings = {
  direct: [steps],
  rate: [
    steps,
    { name: 'seed', spec: { kind: 'int', min: 0 }, default: 0 },
    { name: 'encoder', spec: { kind: 'words', words: ['bernoulli', 'regular'] }, default: 'bernoulli' },
    input,
  ],
  offset: [steps, { name: 'look', spec: { kind: 'int', min: 1, max: 64 }, default: 4 }],
  sws: [
    { name: 'beta', spec: { kind: 'real', above: 1, max: 3 }, default: 2 },
    { name: 'steps', spec: { kind: 'int', min: 1, max: 24 }, default: 8 },
    { name: 'silent', spec: silentSteps, default: 2 },
    { name: 'encoder', spec: { kind: 'words', words: ['exact', 'drive'] }, default: 'exact' },
    { name: 'threshold', spec: { kind: 'words', words: ['half', 'full'] }, default: 'half' },
    { name: 'rectified', spec: { kind: 'bool' }, default: true },
  ],
  binary: [
    { name: 'bits', spec: { kind: 'int', min: 1, max: 16 }, default: 8 },
    { name: 'steps', spec: manySteps, default: 1 },
  ],
  phase: [
    { name: 'period', spec: { kind: 'int', min: 1, max: 24 }, default: 8 },
    { name: 'steps', spec: manySteps, default: 8 },
    input,
  ],
  burst: [
    steps,
    { name: 'beta', spec: { kind: 'real', above: 1 }, default: 2 },
    { name: 'theta', spec: { kind: 'real', above: 0, max: 1 }, default: 0.125 },
    { name: 'longest', spec: { kind: 'int', min: 0, max: 24 }, default: 5 },
    input,
  ],
  ttfs: [steps, { name: 'tau', spec: { kind: 'real', min: 0 }, default: 0 }, input],
  ttfs_dynamic: [steps, input],
  tsc: [steps, input],
  pattern: [{ name: 'steps', spec: { kind: 'int', min: 1, max: 24 }, default: 8 }, input],
  events: [
    { name: 'steps', spec: manySteps },
    { name: 'by', spec: { kind: 'words', words: ['number', 'time', 'duration'] } },
    // ms: times are counted in µs
    { name: 'window', spec: { kind: 'real', min: 0.001 } },
    { name: 'rule', spec: { kind: 'words', words: ['spikingjelly', 'tonic'] } },
  ],
} as const satisfies Readonly<Record<string, readonly Parameter[]>>;

const silent = { name: 'silent', doc: 'silent steps of these layers', spec: silentSteps } as const;
const range = {
  name: 'range',
  doc: 'the activation that the largest spike of these layers stands for, or with sws the largest code, of a network without quantisers',
  spec: { kind: 'real', above: 0 },
} as const;

const ranges = {
  name: 'ranges',
  doc: 'the same for each channel of these layers',
  spec: { kind: 'list', of: { kind: 'real', above: 0 } },
} as const;

const from = {
  name: 'from',
  doc: 'the activation that the least code of these layers stands for, where the network has no quantiser',
  spec: { kind: 'real', max: 0 },
} as const;

/** What a `layer "…" { }` behind a coding may change. */
export const codingLayerSettings: Readonly<Partial<Record<keyof typeof codings, readonly Setting[]>>> = {
  sws: [silent, range, from],
  direct: [range, ranges],
  rate: [range, ranges],
  offset: [range, ranges],
  binary: [range, ranges],
  phase: [range],
  burst: [range],
  ttfs: [range],
  ttfs_dynamic: [range],
  tsc: [range],
  pattern: [range],
};

export type CodingValuesOfLayer = Written<readonly [typeof silent, typeof range, typeof ranges, typeof from]>;
