import type { Parameter } from './schema.js';

const steps: Parameter = { name: 'steps', spec: { kind: 'int', min: 1, max: 4096 }, required: true };

/** The codings (docs/language.md, codings) and their arguments. */
export const codings: Readonly<Record<string, readonly Parameter[]>> = {
  direct: [steps],
  rate: [steps, { name: 'seed', spec: { kind: 'int', min: 0 }, default: 0 }],
  sws: [
    { name: 'beta', spec: { kind: 'real', above: 1, max: 3 }, default: 2 },
    { name: 'steps', spec: { kind: 'int', min: 1, max: 24 }, default: 8 },
    { name: 'silent', spec: { kind: 'int', min: 0, max: 24 }, default: 2 },
    { name: 'encoder', spec: { kind: 'words', words: ['exact', 'drive'] }, default: 'exact' },
    { name: 'threshold', spec: { kind: 'words', words: ['half', 'full'] }, default: 'half' },
    { name: 'rectified', spec: { kind: 'bool' }, default: true },
  ],
  binary: [{ name: 'bits', spec: { kind: 'int', min: 1, max: 24 }, required: true }],
  phase: [
    { name: 'period', spec: { kind: 'int', min: 1, max: 32 }, default: 8 },
    { name: 'steps', spec: { kind: 'int', min: 1, max: 4096 }, default: 8 },
  ],
  burst: [steps, { name: 'beta', spec: { kind: 'real', above: 1 }, default: 2 }],
  ttfs: [steps],
  events: [{ name: 'steps', spec: { kind: 'int', min: 1, max: 4096 } }],
};

/** What a `layer "…" { }` behind a coding may change. */
export const codingLayerSettings: Readonly<Record<string, readonly Parameter[]>> = {
  sws: [
    { name: 'silent', spec: { kind: 'int', min: 0, max: 24 } },
    { name: 'range', spec: { kind: 'real', above: 0 } },
    { name: 'from', spec: { kind: 'real', max: 0 } },
  ],
  direct: [{ name: 'range', spec: { kind: 'real', above: 0 } }],
};
