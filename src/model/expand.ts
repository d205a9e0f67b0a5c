import { suggest } from '../base/did-you-mean.js';
import type { Span } from '../base/source.js';
import type {
  Argument,
  CallExpression,
  Expression,
  GraphDeclaration,
  GraphStatement,
  NameExpression,
  PipeExpression,
} from '../syntax/index.js';
import { arithmetic, scale } from './arithmetic.js';
import { type Callee, calleeOf, coerce, evaluateArguments } from './arguments.js';
import type { Declared, LoadedFile } from './declared.js';
import { type Environment, type EvaluationContext, type GraphHooks, evaluate } from './evaluate.js';
import { IdScope } from './ids.js';
import { type LayerDef, type LayerSite, layerNamed, layerTable } from './layers/index.js';
import type { Reporter } from './reporter.js';
import type { Layer, LayerAttr } from './types.js';
import {
  type BlockValue,
  type NeuronUse,
  type TensorValue,
  type Value,
  describeShape,
  describeValue,
  errorValue,
} from './values.js';

/** Layers and blocks a network may expand to. */
export const maxExpansion = 20_000;
/** How deeply blocks may stand in blocks. */
export const maxBlockDepth = 100;

/** What the expander asks of those that know all files. */
export interface Bodies {
  /** The names a file declares and imports. */
  environment(file: LoadedFile): Environment;
  context(file: LoadedFile, environment: Environment, graph: GraphHooks): EvaluationContext;
  /** Values of a block's parameters; undefined where one is wrong, which is reported. */
  arguments(
    block: BlockValue,
    callee: Callee,
    args: readonly Argument[],
    context: EvaluationContext,
  ): ReadonlyMap<string, Value> | undefined;
  reportRecursion(declaration: GraphDeclaration, path: readonly string[]): void;
}

/** Where expansion stands: whose body, and what its ids begin with. */
interface Frame {
  readonly declared: Declared<GraphDeclaration>;
  readonly outer?: Frame;
  /** How many blocks are around this body. */
  readonly depth: number;
  readonly ids: IdScope;
  /** Names bound so far in this body. */
  readonly bound: Map<string, Value>;
  readonly context: EvaluationContext;
}

/** Expands one network into layers with shapes and ids. */
export class Expander {
  readonly layers: Layer[] = [];
  readonly #reporter: Reporter;
  readonly #bodies: Bodies;
  #work = 0;

  constructor(reporter: Reporter, bodies: Bodies) {
    this.#reporter = reporter;
    this.#bodies = bodies;
  }

  get exhausted(): boolean {
    return this.#work > maxExpansion;
  }

  /** Expands the network itself; gives its output. */
  network(declared: Declared<GraphDeclaration>, values: ReadonlyMap<string, Value>): Value {
    return this.#body(declared, values, [], new IdScope(''), undefined);
  }

  #body(
    declared: Declared<GraphDeclaration>,
    values: ReadonlyMap<string, Value>,
    inputs: readonly Value[],
    ids: IdScope,
    outer: Frame | undefined,
  ): Value {
    const bound = new Map(values);
    const file = this.#bodies.environment(declared.file);
    const environment: Environment = {
      lookup: (name) => bound.get(name) ?? file.lookup(name),
      names: () => [...bound.keys(), ...file.names(), ...Object.keys(layerTable)],
      ...(file.elsewhere === undefined ? {} : { elsewhere: file.elsewhere }),
    };
    const graph: GraphHooks = {
      call: (expression) => this.#apply(expression, [], frame),
      pipe: (expression) => this.#pipe(expression, frame),
      binary: (expression, left, right) => {
        const site = (op: string): LayerSite => this.#site(op, expression.span, frame);
        return arithmetic(expression, left, right, site, this.#reporter);
      },
      negate: (expression, operand) => scale(operand, -1, this.#site('scale', expression.span, frame)),
    };
    const context = this.#bodies.context(declared.file, environment, graph);
    const depth = outer === undefined ? 0 : outer.depth + 1;
    const frame: Frame = { declared, ids, bound, context, depth, ...(outer === undefined ? {} : { outer }) };
    const waiting = [...inputs];
    let output: Value = errorValue;
    for (const statement of declared.declaration.body) {
      ids.enter(statement.kind === 'output' ? (statement.name?.text ?? 'output') : statement.name.text);
      const value = this.#statement(statement, waiting, frame);
      if (statement.kind === 'output') output = value;
      else if (!bound.has(statement.name.text)) bound.set(statement.name.text, value);
    }
    return output;
  }

  #statement(statement: GraphStatement, waiting: Value[], frame: Frame): Value {
    if (statement.kind !== 'input') return evaluate(statement.value, frame.context);
    const dimensions = statement.type?.dimensions?.map((expression) => {
      const spec = { kind: 'int', min: 1, max: 1 << 24 } as const;
      return coerce(evaluate(expression, frame.context), spec, 'a dimension', expression.span, frame.context);
    });
    const shape = dimensions?.map((value) => (value.kind === 'number' ? value.value : 1));
    if (dimensions?.some((value) => value.kind === 'error')) return errorValue;
    if (frame.declared.declaration.kind === 'network') {
      if (shape === undefined || shape.length === 0) return errorValue;
      return this.#add(statement.name.text, 'input', [], shape, {}, statement.span);
    }
    const given = waiting.shift() ?? errorValue;
    if (shape !== undefined && given.kind === 'tensor' && !sameShape(shape, given.shape)) {
      const args = { op: statement.name.text, needs: describeShape(shape), found: describeShape(given.shape) };
      const related = [{ place: given.place, message: `${describeShape(given.shape)} comes from here` }];
      this.#reporter.report('model/shape', args, statement.span, { related });
    }
    return given;
  }

  #pipe(expression: PipeExpression, frame: Frame): Value {
    let value = evaluate(expression.source, frame.context);
    if (value.kind !== 'tensor' && value.kind !== 'error') {
      this.#reporter.report('model/not-a-value', { what: describeValue(value) }, expression.source.span);
      value = errorValue;
    }
    for (const stage of expression.stages) {
      const times = this.#repeats(stage.repeats, frame);
      for (let i = 0; i < times && !this.exhausted; i++) {
        value = this.#apply(stage.call, [value], frame);
        if (value.kind === 'error') break;
      }
    }
    return value;
  }

  #repeats(repeats: readonly Expression[], frame: Frame): number {
    let times = 1;
    for (const expression of repeats) {
      const what = 'the count of `repeat`';
      const count = coerce(
        evaluate(expression, frame.context),
        { kind: 'int', min: 0 },
        what,
        expression.span,
        frame.context,
      );
      times *= count.kind === 'number' ? count.value : 0;
      if (times <= maxExpansion) continue;
      this.#reporter.report('model/too-big', { limit: maxExpansion }, expression.span);
      this.#work = Infinity;
      return 0;
    }
    return times;
  }

  /** A layer or a block with the inputs before `|` and those among its arguments. */
  #apply(written: CallExpression | NameExpression, piped: readonly Value[], frame: Frame): Value {
    const { name, args, place } = calleeOf(written);
    if (!this.#spend(written.span)) return errorValue;
    const target = frame.context.environment.lookup(name);
    const layer = target === undefined ? layerNamed(name) : undefined;
    if (target?.kind === 'error') return target;
    if (target === undefined && layer === undefined) return this.#unknown(name, place, frame);
    if (layer === undefined && target?.kind !== 'block') {
      const found = target === undefined ? 'nothing' : describeValue(target);
      this.#reporter.report('model/wrong-kind', { name, expected: 'a layer or a block', found }, place);
      return errorValue;
    }
    const most = layer?.inputs.max ?? (target?.kind === 'block' ? inputsOf(target.declared) : 0);
    const count = this.#leadingInputs(args, most - piped.length, frame);
    const inputs = [...piped, ...args.slice(0, count).map((argument) => evaluate(argument.value, frame.context))];
    const rest = args.slice(count);
    if (layer !== undefined) return this.#layer(layer, name, inputs, rest, written.span, frame);
    return target?.kind === 'block' ? this.#block(target, name, inputs, rest, written.span, frame) : errorValue;
  }

  /**
   * How many of the first arguments are inputs: values of the network, and names that nobody knows
   * while inputs are wanted.
   */
  #leadingInputs(args: readonly Argument[], wanted: number, frame: Frame): number {
    const end = args.findIndex(({ name, value }, i) => {
      const unknown = value.kind === 'name' && frame.context.environment.lookup(value.name) === undefined;
      return name !== undefined || !(this.#flows(value, frame) || (unknown && i < wanted));
    });
    return end === -1 ? args.length : end;
  }

  #unknown(name: string, place: Span, frame: Frame): Value {
    const { environment } = frame.context;
    const help = (): string | undefined => {
      const kindOf = (other: string): string => environment.lookup(other)?.kind ?? 'block';
      return suggest(
        name,
        [...environment.names()].filter((other) => kindOf(other) === 'block'),
      );
    };
    this.#reporter.report('model/unknown-name', { kind: 'layer or block', name }, place, { help });
    return errorValue;
  }

  #layer(
    layer: LayerDef,
    name: string,
    inputs: readonly Value[],
    args: readonly Argument[],
    place: Span,
    frame: Frame,
  ): Value {
    const values = evaluateArguments({ name, place }, layer.parameters, args, frame.context);
    const [first, ...others] = this.#tensors(name, inputs, layer.inputs, place);
    if (values === undefined || first === undefined) return errorValue;
    return layer.build(this.#site(name, place, frame), [first, ...others], values, name) ?? errorValue;
  }

  #block(
    block: BlockValue,
    name: string,
    inputs: readonly Value[],
    args: readonly Argument[],
    place: Span,
    frame: Frame,
  ): Value {
    const { declared } = block;
    const path: string[] = [];
    for (let at: Frame | undefined = frame; at !== undefined; at = at.outer) {
      path.unshift(at.declared.declaration.name.text);
      if (at.declared.declaration !== declared.declaration) continue;
      this.#bodies.reportRecursion(declared.declaration, [...path, declared.declaration.name.text]);
      return errorValue;
    }
    if (frame.depth >= maxBlockDepth) {
      this.#reporter.report('model/too-deep', { limit: maxBlockDepth }, place);
      this.#work = Infinity;
      return errorValue;
    }
    const wanted = inputsOf(declared);
    const values = this.#bodies.arguments(block, { name, place }, args, frame.context);
    const tensors = this.#tensors(name, inputs, { min: wanted, max: wanted }, place);
    if (values === undefined || tensors.length !== wanted) return errorValue;
    const ids = frame.ids.block();
    return this.#reporter.inside(place, `\`${name}\` is used here`, () =>
      this.#body(declared, values, tensors, ids, frame),
    );
  }

  /** The inputs, if they are as many as are wanted and all are values of the network; otherwise none. */
  #tensors(
    name: string,
    inputs: readonly Value[],
    { min, max }: { readonly min: number; readonly max: number },
    place: Span,
  ): TensorValue[] {
    if (inputs.some((input) => input.kind === 'error')) return [];
    if (inputs.length < min || inputs.length > max) {
      const takes = min === max ? `${min} input${min === 1 ? '' : 's'}` : `at least ${min} inputs`;
      this.#reporter.report('model/inputs', { callee: name, takes, found: inputs.length }, place);
      return [];
    }
    return inputs.every((input) => input.kind === 'tensor') ? [...inputs] : [];
  }

  /** Whether an expression is made of values of the network, judged by its form. */
  #flows(expression: Expression, frame: Frame): boolean {
    switch (expression.kind) {
      case 'name': {
        const kind = frame.bound.get(expression.name)?.kind;
        return kind === 'tensor' || kind === 'error';
      }
      case 'pipe':
        return true;
      case 'unary':
        return this.#flows(expression.operand, frame);
      case 'binary':
        return this.#flows(expression.left, frame) || this.#flows(expression.right, frame);
      case 'call': {
        const { text } = expression.callee;
        if (text === 'where') return expression.args.slice(1).some((argument) => this.#flows(argument.value, frame));
        const target = frame.context.environment.lookup(text);
        return target === undefined ? layerNamed(text) !== undefined : target.kind === 'block';
      }
      default:
        return false;
    }
  }

  #site(op: string, place: Span, frame: Frame): LayerSite {
    return {
      add: (name, kind, inputs, shape, attrs = {}, neuron) => {
        const ids = inputs.map((input) => input.op);
        return this.#add(frame.ids.layer(name), kind, ids, shape, attrs, place, neuron);
      },
      wrongShape: (needs, found) => {
        const related = [{ place: found.place, message: `${describeShape(found.shape)} comes from here` }];
        this.#reporter.report('model/shape', { op, needs, found: describeShape(found.shape) }, place, {
          related: [...related, ...blockTrail(frame)],
        });
        return undefined;
      },
      wrongArgument: (name, expected, found) => {
        const args = { what: `\`${name}\` of \`${op}\``, expected, found };
        this.#reporter.report('model/argument-type', args, place, { related: blockTrail(frame) });
        return undefined;
      },
      mismatch: (left, right) => {
        const [first, second] = [describeShape(left.shape), describeShape(right.shape)];
        const related = [
          { place: left.place, message: `${first} comes from here` },
          { place: right.place, message: `${second} comes from here` },
          ...blockTrail(frame),
        ];
        this.#reporter.report('model/shape-mismatch', { op, left: first, right: second }, place, { related });
        return undefined;
      },
    };
  }

  #add(
    id: string,
    kind: string,
    inputs: readonly string[],
    shape: readonly number[],
    attrs: Readonly<Record<string, LayerAttr>>,
    place: Span,
    neuron?: NeuronUse,
  ): TensorValue {
    this.#spend(place);
    this.layers.push({ id, kind, inputs, attrs, shape, place, ...(neuron === undefined ? {} : { neuron }) });
    return { kind: 'tensor', op: id, shape, place };
  }

  #spend(place: Span): boolean {
    if (this.#work === maxExpansion) this.#reporter.report('model/too-big', { limit: maxExpansion }, place);
    this.#work++;
    return !this.exhausted;
  }
}

function inputsOf({ declaration }: Declared<GraphDeclaration>): number {
  return declaration.body.filter((statement) => statement.kind === 'input').length;
}

function blockTrail(frame: Frame): { place: Span; message: string }[] {
  const { declaration } = frame.declared;
  if (declaration.kind === 'network') return [];
  return [{ place: declaration.name.span, message: `in the block \`${declaration.name.text}\`` }];
}

function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((n, i) => n === b[i]);
}
