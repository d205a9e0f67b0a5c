import { type NeuronDef, assignmentsOf, isRealValued, thresholdOf, valueOf } from '../../equations/index.js';

/** What a layer of neurons does in a step, as NIR can say it; all numbers are of the step, not of seconds. */
export interface LeakyForm {
  readonly kind: 'leaky';
  /** v ← decay·v + gain·x + leak; with a synapse x is its current: i ← synapse.decay·i + synapse.gain·x. */
  readonly decay: number;
  readonly gain: number;
  readonly leak: number;
  readonly synapse?: { readonly decay: number; readonly gain: number };
  /** Missing where its output is the membrane. */
  readonly spike?: {
    readonly threshold: number;
    /** It fires at the threshold itself too. */
    readonly reached: boolean;
    readonly reset: number;
  };
}

export type NeuronForm = LeakyForm | OtherForm;

/** What NIR can't say, and why. */
export interface OtherForm {
  readonly kind: 'other';
  readonly why: string;
  /** Of a linear membrane that fires: the same with spikes of 1 above its first threshold, reset to 0. */
  readonly nearest?: LeakyForm;
  /** What its reset does: to a value, by so much for each unit of its output, or nothing; missing where it is none of these. */
  readonly reset?: { readonly how: 'value' | 'subtract' | 'none'; readonly by?: number };
}

type Values = ReadonlyMap<string, number>;

/**
 * What equations do, found by running them: a membrane (behind a synapse, or not) that is linear in itself and its input, a spike of 1 where it
 * passes a threshold, a reset to one value.
 */
export function neuronForm(def: NeuronDef, params: Values, steps: number): NeuronForm {
  const other = (why: string): NeuronForm => ({ kind: 'other', why });
  if (def.states.length > 2) return other('neurons of more than two states');
  if (def.states.some(({ units }) => units !== undefined)) return other('neurons of several membranes');
  const own: Map<string, number> = new Map([...params, ['T', steps]]);
  const initial = def.states.map(({ initial }) => valueOf(initial, own));
  if (initial.some((value) => value !== 0)) return other('a membrane that doesn’t begin at 0');
  const names = def.states.map(({ name }) => name);
  const membrane = membraneOf(def, names);
  const [i] = names.filter((name) => name !== membrane);
  const step = (state: Readonly<Record<string, number>>, x: number): Step | undefined =>
    runStep(def, new Map([...own, ...Object.entries(state), ['x', x]]), names);
  const zero = Object.fromEntries(names.map((name) => [name, 0]));
  const probe = (v: number, c: number, x: number): { v: number; i: number } | undefined => {
    const made = step({ ...zero, [membrane]: v, ...(i === undefined ? {} : { [i]: c }) }, x);
    return made && { v: made.charged.get(membrane)!, i: i === undefined ? 0 : made.charged.get(i)! };
  };
  const base = probe(0, 0, 0);
  const [byV, byI, byX] = [probe(1, 0, 0), probe(0, 1, 0), probe(0, 0, 1)];
  if (!base || !byV || !byI || !byX) return other('equations that can’t be run by themselves');
  const decay = byV.v - base.v;
  const isLinear = [
    [0.3, -0.7, 0.9],
    [-2.5, 1.5, 4],
    [7, 3, -6],
  ].every(([v, c, x]) => {
    const made = probe(v!, c!, x!)!;
    const expected = base.v + decay * v! + (byI.v - base.v) * c! + (byX.v - base.v) * x!;
    const current = base.i + (byI.i - base.i) * c! + (byX.i - base.i) * x! + (byV.i - base.i) * v!;
    return near(made.v, expected) && near(made.i, current);
  });
  if (!isLinear) return other('membranes that aren’t linear');
  let synapse: LeakyForm['synapse'];
  let gain = byX.v - base.v;
  if (i !== undefined) {
    const [own, through] = [byI.i - base.i, byX.i - base.i];
    if (base.i !== 0 || byV.i !== base.i) return other('a synapse that isn’t one');
    // v sees the new current: by its input through it, by its old value decayed
    const seen = through === 0 ? 0 : (byX.v - base.v) / through;
    if (!near(byI.v - base.v, seen * own)) return other('membranes that see the current of the step before');
    synapse = { decay: own, gain: through };
    gain = seen;
  }
  const linear = { kind: 'leaky', decay, gain, leak: base.v, ...(synapse === undefined ? {} : { synapse }) } as const;
  if (isRealValued(def, Object.fromEntries(params)))
    return isMembrane(def, membrane) ? linear : other('an output that isn’t the membrane');
  const probing = { own, membrane, step, zero, i };
  const made = withSpike(def, linear, probing);
  return made.kind === 'other' ? { ...made, ...nearest(linear, probing) } : made;
}

/** A membrane with the lowest threshold at which equations fire, found by halving, and what they do when they have fired. */
function nearest(linear: LeakyForm, probing: Probing): Omit<OtherForm, 'kind' | 'why'> {
  const at = chargedTo(linear, probing);
  if (at === undefined) return {};
  const most = 1024;
  if (!(at(most)!.s > 0) || at(0)!.s > 0) return {};
  let [below, above] = [0, most];
  for (let round = 0; round < 80; round++) {
    const middle = (below + above) / 2;
    if (at(middle)!.s > 0) above = middle;
    else below = middle;
  }
  const threshold = Number(above.toPrecision(9));
  const spike = { threshold, reached: at(threshold)!.s > 0, reset: 0 };
  const found = [1.1, 1.7, 3.3, 9].map((times) => at(threshold * times)!);
  const after = found.map((one) => one.after.get(probing.membrane)!);
  const by = found.map((one, i) => (one.charged.get(probing.membrane)! - after[i]!) / one.s);
  const isOne = (values: readonly number[]): boolean => values.every((value) => near(value, values[0]!));
  if (by.every((value) => value === 0)) return { nearest: { ...linear, spike }, reset: { how: 'none' } };
  if (isOne(by))
    return { nearest: { ...linear, spike }, reset: { how: 'subtract', by: Number(by[0]!.toPrecision(12)) } };
  if (!isOne(after)) return { nearest: { ...linear, spike } };
  return { nearest: { ...linear, spike: { ...spike, reset: after[0]! } }, reset: { how: 'value' } };
}

/** How equations are tried out. */
interface Probing {
  readonly own: Values;
  readonly membrane: string;
  readonly step: (state: Readonly<Record<string, number>>, x: number) => Step | undefined;
  readonly zero: Readonly<Record<string, number>>;
  readonly i: string | undefined;
}

/** A step from rest with the input that charges the membrane to v; undefined where no input does. */
function chargedTo(linear: LeakyForm, { step, zero }: Probing): ((v: number) => Step | undefined) | undefined {
  const through = linear.gain * (linear.synapse?.gain ?? 1);
  if (through === 0 || step(zero, 1) === undefined) return undefined;
  return (v) => step(zero, (v - linear.leak) / through);
}

interface Step {
  readonly charged: Values;
  readonly s: number;
  readonly after: Values;
}

function withSpike(def: NeuronDef, linear: LeakyForm, probing: Probing): LeakyForm | OtherForm {
  const { own, membrane, i } = probing;
  const other = (why: string): OtherForm => ({ kind: 'other', why });
  const expr = thresholdOf(def);
  const threshold = expr === undefined ? undefined : valueOf(expr, own);
  if (threshold === undefined) return other('spikes that aren’t 1 where the membrane passes one threshold');
  // a membrane of v after the charge, by the input alone
  const charged = chargedTo(linear, probing);
  if (charged === undefined) return other('neurons that their input doesn’t reach');
  const at = (v: number): Step => charged(v)!;
  const size = Math.max(1, Math.abs(threshold));
  const fires = [threshold + 0.25 * size, threshold + 3 * size, threshold + 1e3 * size].map(at);
  const silent = [threshold - 0.25 * size, threshold - 3 * size].map(at);
  if (fires.some(({ s }) => s !== 1) || silent.some(({ s }) => s !== 0))
    return other('spikes of other levels than 0 and 1');
  const resets = fires.map(({ after }) => after.get(membrane)!);
  if (!resets.every((v) => near(v, resets[0]!))) {
    const soft = fires.every(({ charged, after }) => near(charged.get(membrane)! - after.get(membrane)!, threshold));
    return other(soft ? 'a reset by subtraction' : 'a reset that isn’t to one value');
  }
  const keeps = silent.every(({ charged, after }) => near(charged.get(membrane)!, after.get(membrane)!));
  const current = i === undefined || fires.every(({ charged, after }) => near(charged.get(i)!, after.get(i)!));
  if (!keeps || !current) return other('states that change beside a reset');
  const [assignment] = assignmentsOf(def, 'fire');
  const reached = assignment!.value.kind === 'binary' && assignment!.value.op === '>=';
  return { ...linear, spike: { threshold, reached, reset: resets[0]! } };
}

/** The state that fires: the one that `fire` reads. */
function membraneOf(def: NeuronDef, names: readonly string[]): string {
  const text = JSON.stringify(assignmentsOf(def, 'fire'));
  return names.find((name) => text.includes(`"name":"${name}"`)) ?? names[0]!;
}

function isMembrane(def: NeuronDef, membrane: string): boolean {
  const [only, ...more] = assignmentsOf(def, 'fire');
  return more.length === 0 && only?.value.kind === 'name' && only.value.name === membrane;
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * Math.max(1, Math.abs(a), Math.abs(b));
}

/** A step of one neuron in numbers; undefined where its equations need what isn't known. */
function runStep(def: NeuronDef, env: Map<string, number>, states: readonly string[]): Step | undefined {
  const run = (name: 'charge' | 'fire' | 'reset'): boolean =>
    assignmentsOf(def, name).every(({ target, value }) => {
      const made = valueOf(value, env);
      if (made !== undefined) env.set(target, made);
      return made !== undefined;
    });
  const kept = (): Values => new Map(states.map((name) => [name, env.get(name)!]));
  if (!run('charge')) return undefined;
  const charged = kept();
  if (!run('fire')) return undefined;
  const s = env.get('s')!;
  if (!run('reset')) return undefined;
  return { charged, s, after: kept() };
}
