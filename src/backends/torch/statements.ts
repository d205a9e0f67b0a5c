import { InvariantError, present } from '../../base/invariant.js';
import { type Dim, type Program, type TensorOp, type ValueInfo, attrsOf } from '../../tensor/index.js';
import { type Expression, atom } from './expression.js';
import { type Emit, torchPrimitives } from './primitives.js';
import { Names, indented } from './python.js';

/** What statements are written into. */
export interface StatementOptions {
  /** Names of variables in the function; those of the inputs among them. */
  readonly names: Names;
  /** Input or parameter → the expression that gives it. */
  readonly given: ReadonlyMap<string, Expression>;
  /** Functions of `layers.py` that are used. */
  readonly helpers: Set<string>;
  readonly constant: (op: TensorOp) => string;
  readonly batch: () => string;
  readonly like: () => string;
  /** What a variable is called after: the id of an op. */
  readonly hint?: (id: string) => string;
  /** A tensor of a shape, where one is at hand. */
  readonly whole?: (shape: readonly Dim[]) => string | undefined;
}

/** An expression longer than this gets a variable. */
const longest = 72;

/** The ops of a program as Python statements: what is read once stands where it is read, as long as lines stay short. */
export class Statements {
  readonly lines: string[] = [];
  readonly #values: Map<string, Expression>;
  readonly #types = new Map<string, ValueInfo>();
  readonly #parts = new Map<string, readonly string[]>();
  readonly #uses = new Map<string, number>();

  constructor(
    readonly program: Program,
    readonly options: StatementOptions,
  ) {
    this.#values = new Map(options.given);
    for (const input of program.inputs) this.#types.set(input.id, input);
    for (const param of program.params) this.#types.set(param.id, param);
    const count = (id: string): void => void this.#uses.set(id, (this.#uses.get(id) ?? 0) + 1);
    for (const op of program.ops) op.inputs.forEach(count);
    for (const id of Object.values(program.outputs)) count(id);
    for (const op of program.ops) this.#emit(op);
  }

  /** The value of an output. */
  output(name: string): Expression {
    return this.value(present(this.program.outputs[name], `torch: no output ${name}`));
  }

  value(id: string): Expression {
    return present(this.#values.get(id), `torch: ${id} has no value`);
  }

  #emit(op: TensorOp): void {
    this.#types.set(op.id, op);
    if (op.kind === 'scan') return this.#loop(op);
    if (op.kind === 'scan_output') {
      const parts = present(this.#parts.get(op.inputs[0]!), `torch: ${op.inputs[0]} is no loop`);
      this.#values.set(op.id, atom(parts[attrsOf(op, 'scan_output').index]!));
      return;
    }
    const { helpers, constant, batch, like } = this.options;
    const emit = torchPrimitives[op.kind] as Emit<unknown>;
    const made = emit({
      op,
      attrs: op.attrs,
      inputs: op.inputs.map((id) => this.value(id)),
      types: op.inputs.map((id) => present(this.#types.get(id), `torch: ${id} has no type`)),
      helper: (name) => {
        helpers.add(name);
        return name;
      },
      constant,
      batch,
      like,
      whole: this.options.whole ?? (() => undefined),
    });
    const once = (this.#uses.get(op.id) ?? 0) <= 1;
    const short = made.code.length <= longest;
    const literal = made.number !== undefined || /^[\w.]+$/.test(made.code);
    if (literal || (once && short)) {
      this.#values.set(op.id, made);
      return;
    }
    const name = this.options.names.fresh(this.options.hint?.(op.id) ?? op.id);
    this.lines.push(`${name} = ${made.code}`);
    this.#values.set(op.id, { ...made, code: name, binds: 0 });
  }

  /** A loop as a function of a time step and a call of `scan`. */
  #loop(op: TensorOp): void {
    const { names, helpers, batch } = this.options;
    const { body, steps, states, scanned, reverse } = attrsOf(op, 'scan');
    if (body.params.length > 0) throw new InvariantError(`torch: the body of ${op.id} has parameters`);
    helpers.add('scan');
    const hint = this.options.hint?.(op.id) ?? op.id;
    const name = names.fresh(`${hint}_step`);
    const inside = new Names();
    const variables = body.inputs.map(({ id }) => inside.fresh(id));
    const given = new Map(
      body.inputs.map(
        ({ id }, i) => [id, atom(variables[i]!, body.inputs[i]!.dtype === 'bool' ? 'hard' : 'number')] as const,
      ),
    );
    const like = variables[0]!;
    const statements = new Statements(body, {
      ...this.options,
      names: inside,
      given,
      like: () => like,
      hint: (id) => id,
    });
    const results = Object.keys(body.outputs).map((output) => {
      const value = statements.output(output);
      return value.number === undefined ? value.code : `torch.tensor(${value.code}, device=${like}.device)`;
    });
    this.lines.push(
      `def ${name}(${variables.map((one) => `${one}: Tensor`).join(', ')}) -> tuple[Tensor, ...]:`,
      ...indented([...statements.lines, `return (${results.join(', ')},)`]),
      '',
    );
    const target = names.fresh(hint);
    const operands = op.inputs.map((id) => this.value(id).code);
    const [first, trains, fixed] = [
      operands.slice(0, states),
      operands.slice(states, states + scanned),
      operands.slice(states + scanned),
    ];
    const list = (items: readonly string[]): string => `[${items.join(', ')}]`;
    this.lines.push(
      `${target} = scan(${name}, ${steps}, ${batch()}, ${list(first)}, ${list(trains)}, ${list(fixed)}${reverse ? ', reverse=True' : ''})`,
    );
    this.#parts.set(
      op.id,
      Object.keys(body.outputs).map((_, i) => `${target}[${i}]`),
    );
  }
}
