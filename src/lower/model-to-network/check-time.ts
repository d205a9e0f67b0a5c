import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.js';
import { type ReadOutKind, readsNeurons } from '../../base/read-outs.js';
import { expandUnits, spikeLevels } from '../../equations/index.js';
import { type Config, type Layer, type NeuronUse, type OwnNetwork, stepsOf } from '../../model/index.js';
import { carriers, conversionOf } from '../program/carriers/index.js';
import { cyclesOf } from '../program/loops.js';
import { BitPlan } from './bits.js';

/** What delays, the cycles that they close and sums over steps can't do: without time, beyond the time steps, with squeezed trains or batch norms. */
export function delayProblems(config: Config, { layers }: OwnNetwork): readonly Diagnostic[] {
  const delays = layers.filter(({ kind }) => kind === 'delay');
  const [first] = layers.filter(({ kind }) => kind === 'delay' || kind === 'mixsteps');
  if (first === undefined) return [];
  const { coding } = config;
  const word = first.kind === 'delay' ? 'delay' : 'mix_steps';
  const conflict = (problem: string, { place }: Pick<Layer, 'place'>, help: string): Diagnostic =>
    diagnostic('model/conflict', { problem }, place, {
      help,
      ...(coding === undefined ? {} : { related: [{ place: coding.place, message: 'the coding' }] }),
    });
  if (coding === undefined) {
    return [
      conflict(`\`${word}\` in a network without time steps`, first, 'add for example `coding direct(steps: 8)`'),
    ];
  }
  if (new BitPlan(config.bits, coding).squeezes) {
    const help = 'leave out `steps` in `bits`, or set `squeeze false`';
    return [conflict(`\`${word}\` with squeezed trains, which have no time steps behind a neuron`, first, help)];
  }
  if (conversionOf(coding.name) !== undefined) {
    const help = 'use `coding direct(…)` or `rate(…)`, whose steps count alike';
    return [
      conflict(
        `\`${word}\` in \`coding ${coding.name}\`, whose spikes count by time or by what came before`,
        first,
        help,
      ),
    ];
  }
  const steps = stepsOf(coding) ?? Infinity;
  const idle = delays.filter(({ attrs }) => Number(attrs['steps']) >= steps);
  return [
    ...idle.map((layer) => {
      const problem = `\`delay(${String(layer.attrs['steps'])})\` in ${steps} time step${steps === 1 ? '' : 's'} gives zeros only`;
      return conflict(problem, layer, 'lag by fewer steps, or give the coding more');
    }),
    ...inCycles(layers, 'mixsteps').map((layer) =>
      conflict(
        '`mix_steps` in a cycle: it reads steps that the cycle has yet to make',
        layer,
        'put it outside of the cycle, on what comes from below or behind it',
      ),
    ),
    ...inCycles(layers, 'batchnorm').map((layer) =>
      conflict(
        '`batchnorm` in a cycle: its statistics would be of one time step at a time',
        layer,
        'put it outside of the cycle, for example on what comes from below: `(x | linear(64) | batchnorm) + (h | delay(1) | linear(64))`',
      ),
    ),
  ];
}

function inCycles(layers: readonly Layer[], kind: 'batchnorm' | 'mixsteps'): readonly Layer[] {
  const cycles = cyclesOf(layers);
  return layers.filter((layer) => layer.kind === kind && cycles.has(layer.id));
}

/** Read-outs that aren't the end of the network, or of a network without time steps. */
export function readOutProblems(
  { coding, neuron, train }: Config,
  { layers, outputs }: OwnNetwork,
): readonly Diagnostic[] {
  const conflict = (problem: string, { place }: Layer, help: string): Diagnostic =>
    diagnostic('model/conflict', { problem }, place, { help });
  return layers.flatMap((layer) => {
    if (layer.kind !== 'readout') return [];
    if (
      !outputs.some((output) => output.layer === layer.id) ||
      layers.some(({ inputs }) => inputs.includes(layer.id))
    ) {
      const help = 'put it at the end of the line of the `output`, for example `output h | linear(10) | readout(last)`';
      return [conflict('`readout` before the end of the network: behind it there are no time steps', layer, help)];
    }
    const whole = carriers.some((carrier) => carrier.coding === coding?.name && carrier.whole === true);
    if (whole && layer.attrs['of'] !== 'mean') {
      const problem = `\`readout(${String(layer.attrs['of'])})\` in \`coding ${coding!.name}\`, whose layers read whole trains: there are no steps behind them`;
      return [conflict(problem, layer, 'leave it out: what is read out is the mean')];
    }
    if (coding !== undefined) {
      const kind = layer.attrs['of'] as ReadOutKind;
      if (!readsNeurons.includes(kind)) return [];
      const from = layers.find(({ id }) => id === layer.inputs[0]);
      const use = from?.neuron ?? neuron;
      if (from?.kind !== 'spike' || use === undefined) {
        const problem = `\`readout(${kind})\` behind a \`${from?.kind ?? 'input'}\`, which ${kind === 'membrane' ? 'has no membrane' : 'fires nothing'}`;
        const help = `put it right behind neurons: \`output h | linear(10) | spike | readout(${kind})\``;
        return [conflict(problem, layer, help)];
      }
      return kind === 'first_spike' ? firstSpikeProblems(use, layer, outputs, train) : membraneProblems(use, layer);
    }
    return [conflict('`readout` in a network without time steps', layer, 'add for example `coding direct(steps: 8)`')];
  });
}

/** Losses that a first spike has: of classes, of what is read out. */
const ofFirstSpikes = ['cross_entropy', 'distill', 'firing'];

/** The first spike of neurons that fire 0 or 1, and a loss that it has a gradient for. */
function firstSpikeProblems(
  use: NeuronUse,
  { id, place }: Layer,
  outputs: OwnNetwork['outputs'],
  train: Config['train'],
): readonly Diagnostic[] {
  const single = expandUnits(use);
  const levels = single === undefined ? undefined : spikeLevels(single.def, single.args);
  const found: Diagnostic[] = [];
  if (single !== undefined && !(levels?.min === 0 && levels.max === 1 && levels.step === 1)) {
    const problem = `\`readout(first_spike)\` of \`${use.def.name}\`, whose outputs aren’t 0 and 1`;
    const help = 'put a binary neuron in front of it, for example `spike(LIF)`, or read out the `mean`';
    found.push(diagnostic('model/conflict', { problem }, place, { help }));
  }
  const at = outputs.findIndex(({ layer }) => layer === id);
  for (const { term } of train?.settings.loss ?? []) {
    const of = 'of' in term.args ? term.args.of : undefined;
    const own = of === undefined ? at === 0 : outputs[at]?.name === of;
    if (!own || ofFirstSpikes.includes(term.name)) continue;
    const why =
      term.name === 'tet'
        ? 'it is of every step, and the first spike of all of them'
        : 'it compares numbers, and how early a spike comes says a class';
    const problem = `the loss \`${term.name}\` has no gradient for \`readout(first_spike)\`: ${why}`;
    const related = [{ place, message: 'the read-out' }];
    found.push(diagnostic('model/conflict', { problem }, term.place, { help: 'write `loss cross_entropy`', related }));
  }
  return found;
}

/** The membrane of neurons that have one. */
function membraneProblems({ def }: NeuronUse, { place }: Layer): readonly Diagnostic[] {
  if (def.states.length > 0) return [];
  const problem = `\`readout(membrane)\` of \`${def.name}\`, which has no state`;
  return [diagnostic('model/conflict', { problem }, place, { help: 'read out the `mean` of what it fires' })];
}
