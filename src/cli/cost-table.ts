import { count, percent } from '../base/figures.js';
import { table } from './table.js';
import type { CostResult, CostRow, FunctionCost } from '../commands/cost.js';

/** The costs for people: a row a layer, the total, and below what belongs to the whole network. */
export function describeCost(result: CostResult): string {
  return `${layersTable(result)}\n${table(below(result), ['left', 'left'])}`;
}

interface Column {
  readonly head: string;
  readonly of: (layer: CostRow) => string;
  readonly total: string;
}

function layersTable({ layers, total, measured }: CostResult): string {
  const column = (head: string, of: (layer: CostRow) => string, sum = ''): Column => ({ head, of, total: sum });
  const unit = unitFor(total.energy_pj ?? 0);
  const squeezed = total.s_ace_squeezed !== total.s_ace;
  const columns: Column[] = [
    column('layer', (l) => l.id, 'total'),
    column('kind', (l) => l.kind),
    column('MACs', (l) => count(l.macs), count(total.macs)),
    column('params', (l) => count(l.params), count(total.params)),
    column('W', (l) => real(l.weight_bits)),
    column('S', (l) => (l.input === 'real' && l.spike_bits === 32 ? 'real' : real(l.spike_bits))),
    column('T', (l) => real(l.steps)),
    column('budget', (l) => real(l.bit_budget), real(total.bit_budget)),
    column('S-ACE', (l) => count(l.s_ace), count(total.s_ace)),
    ...(squeezed ? [column('squeezed', (l) => count(l.s_ace_squeezed), count(total.s_ace_squeezed))] : []),
    column('bytes', (l) => count(l.size_bytes), count(total.size_bytes)),
  ];
  if (measured !== undefined) {
    columns.push(
      column('firing', (l) => percentOf(l.firing_rate), percentOf(total.firing_rate)),
      column('SOPs', (l) => count(l.sops ?? 0), count(total.sops ?? 0)),
      column(unit.name, (l) => unit.of(l.energy_pj ?? 0), unit.of(total.energy_pj ?? 0)),
      column('NS-ACE', (l) => count(l.ns_ace ?? 0), count(total.ns_ace ?? 0)),
    );
  }
  const rows = layers.map((layer) => columns.map(({ of }) => of(layer)));
  const lines = [columns.map(({ head }) => head), ...rows, columns.map((one) => one.total)];
  return table(
    lines,
    columns.map((_, i) => (i < 2 ? 'left' : 'right')),
  );
}

/** What neurons compute of whole codes: a row for each function, tables together. */
function functionRows({ functions = [] }: CostResult): string[][] {
  const nameOf = (one: FunctionCost): string => one.function.replace(/ of \d+ steps$/, 's');
  return [...new Set(functions.map(nameOf))].map((name) => {
    const layers = functions.filter((one) => nameOf(one) === name);
    const sum = (of: (layer: FunctionCost) => number): number => layers.reduce((n, one) => n + of(one), 0);
    const operations = `${count(sum((one) => one.operations))} operations an image`;
    const values = `${count(sum((one) => one.evaluations))} values`;
    return [`neurons: ${name}`, `${layers.length} layer${layers.length === 1 ? '' : 's'}, ${values}, ${operations}`];
  });
}

function below(result: CostResult): string[][] {
  const { total, hardware, ann, measured, events } = result;
  const rows = [['latency', `${total.latency_steps} steps`]];
  if (total.spike_bits > 0) {
    const means = [total.weight_bits, total.spike_bits, total.steps].map(real).join('/');
    rows.push(['W/S/T', `${means} on average`]);
  }
  if (total.other_params !== undefined)
    rows.push(['other parameters', `${count(total.other_params)} outside of synapses`]);
  if (total.real_macs > 0) rows.push(['MACs on real values', `${count(total.real_macs)} an image`]);
  rows.push(...functionRows(result));
  if (measured !== undefined) {
    rows.push(
      [
        'measured on',
        `${count(measured.samples)} images${measured.accuracy === undefined ? '' : `, accuracy ${percent(measured.accuracy)}`}`,
      ],
      ['SOPs', `${count(total.sops ?? 0)} an image, ${count(total.join_sops ?? 0)} of them at joins`],
      ['energy', `${energy(total.energy_pj ?? 0)} an image (${hardware.e_mac} pJ a MAC, ${hardware.e_ac} pJ an AC)`],
    );
  }
  if (events !== undefined) {
    const { min, max, as_real: real } = events;
    rows.push(
      ['event frames', `whole numbers from ${min} to ${max}: spikes, which are added`],
      ['as real values', `${energy(real.energy_pj)} with ${count(real.real_macs)} MACs on real values`],
    );
  }
  const quantised = `, with ${ann.bits}-bit activations at most ${energy(ann.quantised_energy_pj)}`;
  rows.push(['ANN', `${energy(ann.energy_pj)}${ann.bits > 0 ? quantised : ''}`]);
  return rows;
}

/** At most two decimals. */
function real(n: number): string {
  return String(Math.round(n * 100) / 100);
}

function percentOf(fraction: number | undefined): string {
  return fraction === undefined ? '' : percent(fraction);
}

interface Unit {
  readonly name: string;
  readonly of: (picojoules: number) => string;
}

/** The unit in which an energy has one to three digits before the point. */
function unitFor(picojoules: number): Unit {
  const names = ['pJ', 'nJ', 'µJ', 'mJ'];
  const power = Math.min(names.length - 1, Math.max(0, Math.floor(Math.log10(Math.max(1, picojoules)) / 3)));
  return { name: names[power]!, of: (pJ) => (pJ / 1000 ** power).toFixed(3) };
}

function energy(picojoules: number): string {
  const { name, of } = unitFor(picojoules);
  return `${of(picojoules)} ${name}`;
}
