import { writing } from '../base/diagnostics/index.js';
import type { Assignment, Expression, NeuronDeclaration } from '../syntax/index.js';
import type { Reporter } from './reporter.js';
import { partsOf } from './rules/rule.js';

/** Follows which names of a neuron have a value for each unit of its states. */
export class UnitCheck {
  readonly #vectors = new Set<string>();
  readonly #single = new Set<string>(['s']);
  readonly #reporter: Reporter;

  constructor(declaration: NeuronDeclaration, reporter: Reporter) {
    this.#reporter = reporter;
    for (const statement of declaration.body) {
      if (statement.kind === 'current') this.#single.add(statement.name.text);
      if (statement.kind !== 'state') continue;
      (statement.units === undefined ? this.#single : this.#vectors).add(statement.name.text);
    }
    if (this.#vectors.size > 0) this.#vectors.add('unit');
  }

  /** Reports an assignment that gives many values to a name that has one, and sums over nothing. */
  assignment({ name, value }: Assignment): void {
    this.#sums(value);
    if (!this.#isVector(value)) return;
    if (!this.#single.has(name.text)) {
      this.#vectors.add(name.text);
      return;
    }
    const why = 'the value has a number for each unit';
    const { source, start, end } = value.span;
    const help = writing('add them up: `sum(…)`', 'Add them up', value.span, `sum(${source.text.slice(start, end)})`);
    this.#reporter.report('model/assignment', { name: name.text, why }, name.span, { help });
  }

  #isVector(expression: Expression): boolean {
    if (expression.kind === 'name') return this.#vectors.has(expression.name);
    if (expression.kind === 'call' && expression.callee.text === 'sum') return false;
    return partsOf(expression).some((part) => this.#isVector(part));
  }

  #sums(expression: Expression): void {
    const parts = partsOf(expression);
    parts.forEach((part) => this.#sums(part));
    if (expression.kind !== 'call' || expression.callee.text !== 'sum' || parts.length !== 1) return;
    if (this.#isVector(parts[0]!)) return;
    const args = { what: 'what `sum` adds up', expected: 'a value with units (`state u[k]`)', found: 'a single one' };
    this.#reporter.report('model/argument-type', args, expression.span);
  }
}
