import { type Diagnostic, diagnostic } from '../../base/diagnostics/index.js';
import { type Config, type Layer, type OwnNetwork, stepsOf } from '../../model/index.js';
import { carriers, conversionOf } from '../program/carriers/index.js';
import { cyclesOf } from '../program/loops.js';
import { BitPlan } from './bits.js';

/** What delays and the cycles that they close can't do: without time, beyond the time steps, with squeezed trains or batch norms. */
export function delayProblems(config: Config, { layers }: OwnNetwork): readonly Diagnostic[] {
  const delays = layers.filter(({ kind }) => kind === 'delay');
  const [first] = delays;
  if (first === undefined) return [];
  const { coding } = config;
  const conflict = (problem: string, { place }: Pick<Layer, 'place'>, help: string): Diagnostic =>
    diagnostic('model/conflict', { problem }, place, {
      help,
      ...(coding === undefined ? {} : { related: [{ place: coding.place, message: 'the coding' }] }),
    });
  if (coding === undefined) {
    return [conflict('`delay` in a network without time steps', first, 'add for example `coding direct(steps: 8)`')];
  }
  if (new BitPlan(config.bits, coding).squeezes) {
    const help = 'leave out `steps` in `bits`, or set `squeeze false`';
    return [conflict('`delay` with squeezed trains, which have no time steps behind a neuron', first, help)];
  }
  if (conversionOf(coding.name) !== undefined) {
    const help = 'use `coding direct(…)` or `rate(…)`, whose steps count alike';
    return [
      conflict(
        `\`delay\` in \`coding ${coding.name}\`, whose spikes count by time or by what came before`,
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
    ...normsInCycles(layers).map((layer) =>
      conflict(
        '`batchnorm` in a cycle: its statistics would be of one time step at a time',
        layer,
        'put it outside of the cycle, for example on what comes from below: `(x | linear(64) | batchnorm) + (h | delay(1) | linear(64))`',
      ),
    ),
  ];
}

function normsInCycles(layers: readonly Layer[]): readonly Layer[] {
  const cycles = cyclesOf(layers);
  return layers.filter(({ id, kind }) => kind === 'batchnorm' && cycles.has(id));
}

/** Read-outs that aren't the end of the network, or of a network without time steps. */
export function readOutProblems({ coding }: Config, { layers, outputs }: OwnNetwork): readonly Diagnostic[] {
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
    if (coding !== undefined) return [];
    return [conflict('`readout` in a network without time steps', layer, 'add for example `coding direct(steps: 8)`')];
  });
}
