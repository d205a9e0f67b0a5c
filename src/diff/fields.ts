import { type NeuronDef, printNeuron } from '../equations/index.js';
import { type Network, type Op, type ValueType, printType, attrsOf } from '../network/index.js';
import type { FieldChange, FieldValue } from './types.js';

/** A field of an op with its value on both sides. */
export type Field = Omit<FieldChange, 'id'>;

export function isSameValue(a: FieldValue, b: FieldValue): boolean {
  return Object.is(a, b) || JSON.stringify(a) === JSON.stringify(b);
}

/** Fields of two ops that correspond, less inputs and type: kind, attributes, equations, roles of parameters. */
export function changedFields(from: Op, to: Op, networks: { readonly from: Network; readonly to: Network }): Field[] {
  const fields: Field[] = [];
  const compare = (field: string, a: FieldValue, b: FieldValue): void => {
    if (!isSameValue(a, b)) fields.push({ field, from: a, to: b });
  };
  compare('kind', from.kind, to.kind);
  for (const name of new Set([...Object.keys(from.attrs), ...Object.keys(to.attrs)])) {
    compare(name, attrsOf(from)[name] ?? null, attrsOf(to)[name] ?? null);
  }
  // of another neuron the parameters are attributes already; what matters then is which of them are learned
  const onlyLearned = attrsOf(from)['neuron'] !== attrsOf(to)['neuron'];
  const [a, b] = [equationsOf(from, networks.from, onlyLearned), equationsOf(to, networks.to, onlyLearned)];
  for (const part of new Set([...a.keys(), ...b.keys()])) compare(part, a.get(part) ?? null, b.get(part) ?? null);
  for (const role of new Set([...Object.keys(from.params), ...Object.keys(to.params)])) {
    const [p, q] = [from.params[role], to.params[role]];
    if (p === undefined || q === undefined) compare(role, paramText(networks.from, p), paramText(networks.to, q));
  }
  return fields;
}

function paramText({ params }: Network, name: string | undefined): string | null {
  const tensor = name === undefined ? undefined : params.get(name)?.tensor;
  return tensor === undefined ? null : `${tensor.dtype}[${tensor.shape.join(',')}]`;
}

/** A neuron's equations, line by line under the phase they belong to; nothing for other kinds. */
function equationsOf(op: Op, { neurons }: Network, onlyLearned: boolean): ReadonlyMap<string, readonly string[]> {
  const def = op.kind === 'neuron' ? neurons.get(op.attrs.neuron) : undefined;
  if (def === undefined) return new Map();
  return neuronParts(onlyLearned ? { ...def, params: def.params.filter(({ learn }) => learn !== undefined) } : def);
}

function neuronParts(def: NeuronDef): ReadonlyMap<string, readonly string[]> {
  const parts = new Map<string, string[]>();
  // the printed form is the one place that knows how equations are written
  const [head, ...lines] = printNeuron(def).split('\n');
  const params = head!.slice(head!.indexOf('(') + 1, head!.lastIndexOf(')'));
  if (params !== '') parts.set('parameters', params.split(', '));
  for (const line of lines.slice(0, -1)) {
    const [phase, ...rest] = line.trim().split(' ');
    parts.set(phase!, [...(parts.get(phase!) ?? []), rest.join(' ')]);
  }
  return parts;
}

/** The fields of a type: `shape`, `time` (`@1..4`), `code` (`spike{0..1}`). */
export function typeFields(from: ValueType, to: ValueType): Field[] {
  const fields: Field[] = [];
  const [a, b] = [typeParts(from), typeParts(to)];
  for (const field of ['shape', 'time', 'code'] as const) {
    if (!isSameValue(a[field], b[field])) fields.push({ field, from: a[field], to: b[field] });
  }
  return fields;
}

function typeParts({ shape, time, code }: ValueType): Readonly<Record<'shape' | 'time' | 'code', FieldValue>> {
  return {
    shape,
    time: time === undefined ? null : `@${time.start}..${time.start + time.steps - 1}`,
    code: printType({ shape: [], code }).replace(/\[\]$/, ''),
  };
}
