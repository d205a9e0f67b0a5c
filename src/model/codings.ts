import type { Choices, Setting } from './schema.js';
import type { Written } from './typed-settings.js';

const manySteps = { kind: 'int', min: 1, max: 4096 } as const;
const steps = { name: 'steps', doc: 'how many time steps', spec: manySteps, required: true } as const;
const input = {
  name: 'input',
  doc: 'the largest size of the input that the encoder’s spikes stand for; 0: the real input is a constant current',
  spec: { kind: 'real', min: 0 },
  default: 0,
} as const;
const silentSteps = { kind: 'int', min: 0, max: 24 } as const;

/** The codings (docs/language.md, codings): what each means, and its arguments. */
export const codings = {
  direct: {
    doc: 'the real input at every step, the mean of the outputs over the steps (as networks are trained)',
    args: [steps],
  },
  rate: {
    doc: 'how often a neuron fires says how large its value is',
    args: [
      steps,
      { name: 'seed', doc: 'of what is drawn', spec: { kind: 'int', min: 0 }, default: 0 },
      {
        name: 'encoder',
        doc: '`bernoulli`: spikes drawn with the input as probability; `regular`: at equal distances',
        spec: { kind: 'words', words: ['bernoulli', 'regular'] },
        default: 'bernoulli',
      },
      input,
    ],
  },
  offset: {
    doc: 'rates of neurons that first look at some steps and correct where their membranes begin',
    args: [
      steps,
      { name: 'look', doc: 'how many steps they look at', spec: { kind: 'int', min: 1, max: 64 }, default: 4 },
    ],
  },
  sws: {
    doc: 'stepwise weighted spikes: a spike at step k counts beta^(steps − k), negative ones take back',
    args: [
      {
        name: 'beta',
        doc: 'how much more a spike counts than one a step later',
        spec: { kind: 'real', above: 1, max: 3 },
        default: 2,
      },
      { name: 'steps', doc: 'digits of a code', spec: { kind: 'int', min: 1, max: 24 }, default: 8 },
      {
        name: 'silent',
        doc: 'steps in which a layer only listens; more make its codes exact',
        spec: silentSteps,
        default: 2,
      },
      {
        name: 'encoder',
        doc: '`exact`: the digits of the input’s code; `drive`: neurons that the input drives',
        spec: { kind: 'words', words: ['exact', 'drive'] },
        default: 'exact',
      },
      {
        name: 'threshold',
        doc: '`half` of a spike rounds to the nearest code; `full`, the ablation, rounds down',
        spec: { kind: 'words', words: ['half', 'full'] },
        default: 'half',
      },
      {
        name: 'rectified',
        doc: 'negative spikes may only take back what positive ones said',
        spec: { kind: 'bool' },
        default: true,
      },
    ],
  },
  binary: {
    doc: 'the bits of integer spikes, in virtual steps: of an ONNX network’s codes, or of a network’s integer neurons (IBRA)',
    args: [
      { name: 'bits', doc: 'of a spike', spec: { kind: 'int', min: 1, max: 16 }, default: 8 },
      { name: 'steps', doc: 'time steps of a network of layers', spec: manySteps, default: 1 },
    ],
  },
  phase: {
    doc: 'binary digits in the phases of a period, again in each period (Kim et al. 2018)',
    args: [
      { name: 'period', doc: 'phases, and digits, of a period', spec: { kind: 'int', min: 1, max: 24 }, default: 8 },
      { name: 'steps', doc: 'how many time steps', spec: manySteps, default: 8 },
      input,
    ],
  },
  burst: {
    doc: 'spikes in a row count more and more (Park et al. 2019)',
    args: [
      steps,
      { name: 'beta', doc: 'how much more than the one before', spec: { kind: 'real', above: 1 }, default: 2 },
      {
        name: 'theta',
        doc: 'what the first spike of a burst counts',
        spec: { kind: 'real', above: 0, max: 1 },
        default: 0.125,
      },
      {
        name: 'longest',
        doc: 'after so many spikes they count no more',
        spec: { kind: 'int', min: 0, max: 24 },
        default: 5,
      },
      input,
    ],
  },
  ttfs: {
    doc: 'time to first spike: a neuron fires once, the earlier the larger its value',
    args: [
      steps,
      {
        name: 'tau',
        doc: 'the threshold falls by exp(−1/tau) a step; 0: evenly',
        spec: { kind: 'real', min: 0 },
        default: 0,
      },
      input,
    ],
  },
  ttfs_dynamic: {
    doc: 'time to first spike with membranes that ramp and thresholds that wait (Rueckauer and Liu 2018)',
    args: [steps, input],
  },
  tsc: {
    doc: 'temporal switch coding: a spike where a neuron begins to fire and one where it ends (Han and Roy 2020)',
    args: [steps, input],
  },
  pattern: {
    doc: 'the binary digits of a value in so many steps (Rueckauer and Liu 2021)',
    args: [{ name: 'steps', doc: 'digits of a value', spec: { kind: 'int', min: 1, max: 24 }, default: 8 }, input],
  },
  events: {
    doc: 'recordings of events, in frames [T, C, H, W]',
    args: [
      { name: 'steps', doc: 'how many frames', spec: manySteps },
      {
        name: 'by',
        doc: 'each frame has the same `number` of events, the same share of the `time`, or a `duration`, of `window`',
        spec: { kind: 'words', words: ['number', 'time', 'duration'] },
      },
      // times are counted in µs
      { name: 'window', doc: 'the length of a frame in ms, with `by: duration`', spec: { kind: 'real', min: 0.001 } },
      {
        name: 'rule',
        doc: 'what becomes of the rest at the end, as `spikingjelly` or as `tonic` has it',
        spec: { kind: 'words', words: ['spikingjelly', 'tonic'] },
      },
    ],
  },
} as const satisfies Choices;

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
