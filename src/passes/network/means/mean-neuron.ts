import type { Help } from '../../../base/diagnostics/index.js';
import { suggest } from '../../../base/did-you-mean.js';
import { type NeuronDef, type NeuronParam, spikeLevels } from '../../../equations/index.js';
import type { NeuronChoice } from '../../options/index.js';
import type { PassContext } from '../../pass.js';
import type { MeanNeuron } from './carries-means.js';

const mostLevel = 2 ** 16 - 1;

/** The chosen neuron with all its arguments and its levels; undefined after a report. */
export function meanNeuron(choice: NeuronChoice, context: PassContext): MeanNeuron | undefined {
  const { name, place } = choice;
  const report = (problem: string, help?: Help): undefined => {
    context.report('pass/neuron', { problem }, place === undefined ? undefined : { place }, { help });
  };
  const def = context.neurons.get(name);
  if (def === undefined) return report(`there is no neuron type "${name}"`, suggest(name, context.neurons.keys()));
  const names = def.params.map((param) => param.name);
  const foreign = Object.keys(choice.args).find((arg) => !names.includes(arg));
  if (foreign !== undefined) return report(`${name} has no parameter "${foreign}"`, suggest(foreign, names));
  const defaults = def.params.flatMap((param) => (param.default === undefined ? [] : [[param.name, param.default]]));
  const args = { ...(Object.fromEntries(defaults) as Record<string, number>), ...choice.args };
  const wrong = def.params.find((param) => !isValue(param, args[param.name]));
  if (wrong !== undefined) {
    const given = args[wrong.name];
    return report(given === undefined ? `${name} needs "${wrong.name}"` : `${name} can't have ${wrong.name}=${given}`);
  }
  const levels = levelsOf(def, args);
  if (levels === undefined) return report(`${name} has no outputs above 0 in finitely many levels`);
  return { def, args, levels, ...(place === undefined ? {} : { place }) };
}

function isValue({ type, range = {} }: NeuronParam, value: number | undefined): boolean {
  if (value === undefined || !Number.isFinite(value)) return false;
  if (type === 'int' && !Number.isInteger(value)) return false;
  if (type === 'bool' && value !== 0 && value !== 1) return false;
  const { min = -Infinity, max = Infinity, above = -Infinity } = range;
  return value >= min && value <= max && value > above;
}

function levelsOf(def: NeuronDef, args: Readonly<Record<string, number>>): MeanNeuron['levels'] | undefined {
  const levels = spikeLevels(def, args);
  if (levels === undefined || def.states.some(({ units }) => units !== undefined)) return undefined;
  return levels.min <= 0 && levels.max > 0 && levels.max <= mostLevel && levels.step > 0 ? levels : undefined;
}
