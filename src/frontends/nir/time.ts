import { type Diagnostic, diagnostic, fail } from '../../base/diagnostics/index.js';
import type { FlatGraph, NirArray, NirGraph } from './graph.js';

/** How a NIR file is seen in steps: seconds of a step, how many steps an input has, and whether it has a frame for each or is one image. */
export interface NirTime {
  readonly dt: number;
  readonly steps: number;
  readonly coding: NirCoding;
}

type NirCoding = 'events' | 'direct';

/** Of a file that says nothing of steps. */
const usualSteps = 32;
/** The step of most tools that write NIR. */
const usualStep = 1e-4;
const mostSteps = 100_000;

/** `steps=100,dt=1e-3,coding=direct`: what stands behind a file's name. */
export function parseTime(text: string | undefined): Partial<NirTime> {
  const found: { dt?: number; steps?: number; coding?: NirCoding } = {};
  for (const part of (text ?? '').split(',').filter((one) => one !== '')) {
    const coding = /^\s*coding\s*=\s*(events|direct)\s*$/.exec(part)?.[1];
    if (coding !== undefined) {
      found.coding = coding as NirCoding;
      continue;
    }
    const [, name, value] = /^\s*(steps|dt)\s*=\s*([0-9.eE+-]+)\s*$/.exec(part) ?? [];
    const number = Number(value);
    if (name === undefined || !isValid(name as TimeName, number)) fail('nir/bad-option', { text: part });
    found[name as TimeName] = number;
  }
  return found;
}

type TimeName = 'dt' | 'steps';

function isValid(name: TimeName, value: number): boolean {
  if (name === 'steps') return Number.isInteger(value) && value >= 1 && value <= mostSteps;
  return value > 0 && Number.isFinite(value);
}

/** The step that a file was written for: what is said, what its metadata say, what its neurons agree on, or that of most tools. */
export function timeOf(
  graph: NirGraph,
  flat: FlatGraph,
  said: Partial<NirTime>,
  file: string,
): { readonly time: NirTime; readonly notes: readonly Diagnostic[] } {
  const notes: Diagnostic[] = [];
  const assumed = (what: string, why: string): void => {
    notes.push(diagnostic('nir/assumed', { what, why }, { file }));
  };
  const own = (name: TimeName): number | undefined => {
    const value = graph.metadata?.get(name);
    if (typeof value !== 'object' || value.data.length !== 1) return undefined;
    const [number] = value.data as unknown as [number];
    if (!isValid(name, number)) fail('nir/bad-metadata', { name, value: number, most: mostSteps }, { file });
    return number;
  };
  let dt = said.dt ?? own('dt');
  if (dt === undefined) {
    const agreed = agreedStep(flat);
    dt = agreed ?? usualStep;
    if (needsStep(flat)) {
      const why =
        agreed === undefined
          ? 'the step of most tools that write NIR'
          : 'the step with which the gain r·dt/τ of its neurons is 1';
      assumed(`a time step of ${Number(dt.toPrecision(6))} s`, why);
    }
  }
  let steps = said.steps ?? own('steps');
  if (steps === undefined) {
    steps = usualSteps;
    assumed(`${steps} time steps`, 'the file says nothing of them');
  }
  return { time: { dt, steps, coding: said.coding ?? 'events' }, notes };
}

function needsStep({ nodes }: FlatGraph): boolean {
  return [...nodes.values()].some(({ fields }) => ['tau', 'tau_mem', 'r', 'delay'].some((name) => fields.has(name)));
}

/**
 * dt with which r·dt/τ is 1 for every neuron, or r·dt for those without a leak. None where a time constant isn't longer than that:
 * with r = 1 as NIR's own models have it, dt would be τ, with which a membrane keeps nothing, and a shorter τ_syn diverges.
 */
function agreedStep({ nodes }: FlatGraph): number | undefined {
  let found: number | undefined;
  let shortest = Infinity;
  for (const { fields } of nodes.values()) {
    for (const name of ['tau', 'tau_mem', 'tau_syn']) {
      const constant = fields.get(name);
      if (typeof constant === 'object') for (const value of constant.data) shortest = Math.min(shortest, value);
    }
    const r = fields.get('r');
    if (typeof r !== 'object') continue;
    const tau = (fields.get('tau') ?? fields.get('tau_mem')) as NirArray | undefined;
    for (let i = 0; i < r.data.length; i++) {
      const one = (tau?.data[tau.data.length === 1 ? 0 : i] ?? 1) / r.data[i]!;
      if (!(one > 0) || !Number.isFinite(one)) return undefined;
      found ??= one;
      if (Math.abs(one - found) > 1e-3 * found) return undefined;
    }
  }
  // to the digits that single precision has
  return found === undefined || found >= shortest * (1 - 1e-3) ? undefined : Number(found.toPrecision(6));
}
