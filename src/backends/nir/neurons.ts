import { elementCount } from '../../base/dtype.js';
import { present } from '../../base/invariant.js';
import { type NeuronDef, drawsOf, readsName, stepwiseParameters } from '../../equations/index.js';
import type { NirArray, NirNode } from '../../frontends/nir/index.js';
import { numberAttr, realValues } from '../../network/index.js';
import { stepsBelow } from './floats.js';
import type { Convention } from './conventions.js';
import type { Row, RowCall } from './row.js';
import { type LeakyForm, type NeuronForm, neuronForm } from './neuron.js';

type Numbers = Readonly<Record<string, number>>;

/** A neuron of NIR: its type, and its parameters. */
interface Neuron {
  readonly type: string;
  readonly numbers: Numbers;
}

interface Refusal {
  readonly cannot: string;
}

/** A layer of neurons: the NIR type that its equations are, with the parameters of every neuron. */
export const neuronNode: Row = (call) => {
  const { op, network, convention } = call;
  if (op.kind !== 'neuron') return { cannot: op.kind };
  if ('hold' in op.attrs || op.attrs.silent !== undefined) return { cannot: 'neurons that wait' };
  const { code, shape } = op.type;
  if (code.kind === 'spike' && (code.min !== 0 || code.max !== 1)) {
    return { cannot: code.min < 0 ? 'spikes of both signs' : 'spikes of several levels' };
  }
  if (code.kind === 'spike' && code.step !== 1) return { cannot: `spikes of ${code.step}` };
  const def = present(network.neurons.get(op.attrs.neuron), `nir: no neuron ${op.attrs.neuron}`);
  if (def.currents !== undefined) return { cannot: 'neurons of several input currents' };
  if (drawsOf(def).length > 0) return { cannot: 'neurons that draw random numbers' };
  if (readsName(def, 't')) return { cannot: 'neurons that read the time' };
  if (variesOverTime(call, def)) return { cannot: 'neurons whose parameters differ from step to step' };
  const found = eachNeuron(call, def, (form) =>
    form.kind === 'other' ? { cannot: form.why } : numbersOf(form, convention),
  );
  const refused = found.find((one) => 'cannot' in one);
  if (refused !== undefined) return refused as Refusal;
  const neurons = found as readonly Neuron[];
  const [first] = neurons as readonly [Neuron];
  if (neurons.some(({ type }) => type !== first.type)) return { cannot: 'neurons of several kinds in a layer' };
  return nodeOf(neurons, shape);
};

/** What `made` makes of the equations of each neuron, with its parameters; made once for those that are alike. */
function eachNeuron<T>(call: RowCall, def: NeuronDef, made: (form: NeuronForm) => T): readonly T[] {
  const { shape, time } = call.op.type;
  const count = elementCount(shape);
  const own = parametersOf(call, def, count);
  // neurons of a run, as those of a channel are, have the same parameters
  const run = Math.min(count, ...[...own.values()].map(({ each }) => each));
  const size = Number.isInteger(run) && [...own.values()].every(({ each }) => each % run === 0) ? run : 1;
  const known = new Map<string, T>();
  const found = new Array<T>(count);
  for (let i = 0; i < count; i += size) {
    const values = new Map([...own].map(([name, { values, each }]) => [name, values[Math.floor(i / each)]!]));
    const key = [...values.values()].join();
    if (!known.has(key)) known.set(key, made(neuronForm(def, values, time?.steps ?? 1)));
    found.fill(known.get(key)!, i, i + size);
  }
  return found;
}

function nodeOf(neurons: readonly Neuron[], shape: readonly number[]): NirNode {
  const [first] = neurons as readonly [Neuron];
  const fields = Object.keys(first.numbers).map((name): [string, NirArray] => [
    name,
    { shape, data: Float64Array.from(neurons, ({ numbers }) => numbers[name]!) },
  ]);
  return { type: first.type, fields: new Map(fields) };
}

/**
 * A layer of neurons that NIR can't say as the neurons that are next to it: their membrane, spikes of 1 above its first threshold, reset to a
 * value; with what differs in words (docs/nir.md, "Extensions"). Undefined where the membrane isn't linear.
 */
export function nearestNeuron(
  call: RowCall,
): { readonly node: NirNode; readonly words: Map<string, NirArray | string> } | undefined {
  const { op, network, convention } = call;
  if (op.kind !== 'neuron') return undefined;
  const { code, shape } = op.type;
  const def = present(network.neurons.get(op.attrs.neuron), `nir: no neuron ${op.attrs.neuron}`);
  if (readsName(def, 't') || variesOverTime(call, def)) return undefined;
  const forms = eachNeuron(call, def, (form) => {
    if (form.kind === 'leaky') return { numbers: numbersOf(form, convention), reset: { how: 'value' as const } };
    return form.nearest && { numbers: numbersOf(form.nearest, convention), reset: form.reset };
  });
  const neurons: Neuron[] = [];
  for (const form of forms) {
    if (form === undefined || 'cannot' in form.numbers) return undefined;
    neurons.push(form.numbers);
  }
  if (neurons.some(({ type }) => type !== neurons[0]!.type)) return undefined;
  const words = new Map<string, NirArray | string>();
  const how = forms[0]!.reset?.how;
  if (how !== undefined && forms.every((form) => form!.reset?.how === how)) {
    words.set('reset', how);
    if (how === 'subtract')
      words.set('reset_by', { shape, data: Float64Array.from(forms, (form) => form!.reset!.by!) });
  }
  if (code.kind === 'spike') {
    const number = (value: number): NirArray => ({ shape: [], data: Float64Array.of(value) });
    for (const name of ['min', 'max', 'step'] as const) words.set(`spike_${name}`, number(code[name]));
  }
  return { node: nodeOf(neurons, shape), words };
}

/** Whether a parameter with a value for each time step has different ones. */
function variesOverTime({ op, network }: RowCall, def: NeuronDef): boolean {
  return stepwiseParameters(def).some((name) => {
    const param = network.params.get(op.params[name] ?? '');
    return param !== undefined && new Set(realValues(param)).size > 1;
  });
}

/** Values of a parameter, each for so many neurons in a row. */
interface Parameter {
  readonly values: ArrayLike<number>;
  readonly each: number;
}

/** Each parameter: of all neurons, of those of a channel, or of each its own. */
function parametersOf({ op, network }: RowCall, def: NeuronDef, count: number): ReadonlyMap<string, Parameter> {
  return new Map(
    def.params.map(({ name, default: usual = NaN }): [string, Parameter] => {
      const param = network.params.get(op.params[name] ?? '');
      if (op.params[name] === undefined || param === undefined) {
        return [name, { values: [numberAttr(op.attrs, name, usual)], each: count }];
      }
      const values = realValues(param);
      return [name, { values, each: count / values.length }];
    }),
  );
}

/** NIR's parameters for what neurons do in a step of `dt`. */
function numbersOf(
  { decay, gain, leak, synapse, spike }: LeakyForm,
  { dt, decay: how, reached, unitGain }: Convention,
): Neuron | Refusal {
  const tau = (kept: number): number => (how === 'euler' ? dt / (1 - kept) : -dt / Math.log(kept));
  const isOpen = (kept: number): boolean => (how === 'euler' ? kept >= 0 && kept < 1 : kept > 0 && kept < 1);
  const fired: Numbers =
    spike === undefined
      ? {}
      : { v_threshold: stepsBelow(spike.threshold, Number(spike.reached) - Number(reached)), v_reset: spike.reset };
  const isInteger = decay === 1;
  if (isInteger && leak === 0 && synapse === undefined) {
    return { type: spike === undefined ? 'I' : 'IF', numbers: { r: gain / dt, ...fired } };
  }
  if (!isOpen(decay)) return { cannot: 'a membrane that doesn’t leak to a value' };
  const numbers: Numbers = { r: gain / (1 - decay), v_leak: leak / (1 - decay), ...fired };
  if (synapse === undefined) {
    if (spike === undefined) return { type: 'LI', numbers: { tau: tau(decay), ...numbers } };
    return { type: 'LIF', numbers: { tau: tau(decay), ...(unitGain === true ? inUnitsOfGain(numbers) : numbers) } };
  }
  if (!isOpen(synapse.decay)) return { cannot: 'a synapse whose current doesn’t decay' };
  const currents = { tau_syn: tau(synapse.decay), tau_mem: tau(decay), w_in: synapse.gain / (1 - synapse.decay) };
  return { type: spike === undefined ? 'CubaLI' : 'CubaLIF', numbers: { ...currents, ...numbers } };
}

/** The same spikes from a membrane v/r: everything that it is compared with or set to is divided by r > 0. */
function inUnitsOfGain({ r, ...others }: Numbers): Numbers {
  const gain = r!;
  if (!(gain > 0)) return { r: gain, ...others };
  return { r: 1, ...Object.fromEntries(Object.entries(others).map(([name, value]) => [name, value / gain])) };
}
