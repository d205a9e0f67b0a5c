import { writing } from '../base/diagnostics/index.js';
import type { NeuronDef, NeuronParam, ParameterRange } from '../equations/index.js';
import type { Span } from '../base/source.js';
import type { Reporter } from './reporter.js';
import { type Setting, type Spec, describeSpec } from './schema.js';
import type { Choice } from './values.js';

/** The arguments of `within(VALUE, min: …, max: …, above: …)`, the default of a parameter with a range. */
export function withinParameters(value: Spec): readonly Setting[] {
  return [
    { name: 'value', doc: 'the value without an argument', spec: value, required: true },
    { name: 'min', doc: 'the least argument', spec: { kind: 'real' } },
    { name: 'max', doc: 'the greatest argument', spec: { kind: 'real' } },
    { name: 'above', doc: 'what an argument must be greater than', spec: { kind: 'real' } },
  ];
}

/** The range that `within(…)` gives. */
export function rangeOf({ args }: Choice): ParameterRange {
  const bounds = ['min', 'max', 'above'].flatMap((name) => {
    const bound = args[name];
    return typeof bound === 'number' ? [[name, bound]] : [];
  });
  return Object.fromEntries(bounds) as ParameterRange;
}

/** Reports a value outside of the range that its neuron declares for the parameter. */
export function checkDeclaredRange(
  def: NeuronDef,
  { name, type, range, default: otherwise }: NeuronParam,
  value: number,
  { place, reporter }: { readonly place: Span; readonly reporter: Reporter },
): void {
  if (range === undefined || contains(range, value)) return;
  const expected = describeSpec({ kind: type === 'int' ? 'int' : 'real', ...range });
  const args = { what: `\`${name}\` of \`${def.name}\``, expected, found: `${value}` };
  const inSeconds = name.startsWith('tau') && value > 0 && value < 1;
  const steps = Number((value * 1000).toPrecision(6));
  const help = inSeconds
    ? writing(
        `time constants count time steps: ${value} s at steps of 1 ms is \`${name}: ${steps}\``,
        `Write \`${steps}\``,
        place,
        place.source.text.slice(place.start, place.end).replace(/\d*\.\d+(?:e-?\d+)?/, String(steps)),
      )
    : otherwise === undefined
      ? `give it ${expected}`
      : `without it, it is ${otherwise}`;
  reporter.report('model/argument-type', args, place, { help });
}

function contains({ min, max, above }: ParameterRange, value: number): boolean {
  return value >= (min ?? -Infinity) && value <= (max ?? Infinity) && value > (above ?? -Infinity);
}
