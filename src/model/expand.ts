import type { Help } from '../base/diagnostics/index.js';
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
import { type Ahead, aheadName, readsAhead, shapeAround, withoutShapes } from './ahead.js';
import { calleeOf, coerce, evaluateArguments } from './arguments.js';
import type { Bodies } from './bodies.js';
import type { Declared } from './declared.js';
import { type GraphHooks, type Environment, evaluate } from './evaluate.js';
import { type Frame, inputsOf } from './frame.js';
import { IdScope } from './ids.js';
import { layerSite } from './layer-site.js';
import { type LayerDef, type LayerSite, layerNamed, layerTable, sameShape } from './layers/index.js';
import { layerNameHelp } from './other-names.js';
import type { Reporter } from './reporter.js';
import type { Layer } from './types.js';
import { type BlockValue, type TensorValue, type Value, describeShape, describeValue, errorValue } from './values.js';

/** Layers and blocks a network may expand to. */
export const maxExpansion = 20_000;
/** How deeply blocks may stand in blocks. */
export const maxBlockDepth = 100;

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

  /** Expands the network itself; gives its outputs, by their names. */
  network(declared: Declared<GraphDeclaration>, values: ReadonlyMap<string, Value>): ReadonlyMap<string, Value> {
    return this.#body(declared, values, [], new IdScope(''), undefined);
  }

  #body(
    declared: Declared<GraphDeclaration>,
    values: ReadonlyMap<string, Value>,
    inputs: readonly Value[],
    ids: IdScope,
    outer: Frame | undefined,
  ): ReadonlyMap<string, Value> {
    const frame = this.#frame(declared, new Map(values), ids, outer, outer?.trial === true);
    const waiting = [...inputs];
    const outputs = new Map<string, Value>();
    for (const statement of declared.declaration.body) {
      const value = this.#bind(statement, waiting, frame);
      if (statement.kind === 'output') outputs.set(statement.name?.text ?? 'output', value);
    }
    return outputs;
  }

  #frame(
    declared: Declared<GraphDeclaration>,
    bound: Map<string, Value>,
    ids: IdScope,
    outer: Frame | undefined,
    trial: boolean,
  ): Frame {
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
        const known = trial ? withoutShapes(left, right) : undefined;
        if (known !== undefined) return known;
        const site = (op: string): LayerSite => this.#site(op, expression.span, frame);
        return arithmetic(expression, left, right, site, this.#reporter);
      },
      negate: (expression, operand) => scale(operand, -1, this.#site('scale', expression.span, frame)),
    };
    const context = this.#bodies.context(declared.file, environment, graph);
    const depth = outer === undefined ? 0 : outer.depth + 1;
    const ahead = new Map<string, Ahead>();
    const begun = { errors: this.#reporter.errors };
    const frame: Frame = {
      begun,
      declared,
      ids,
      bound,
      context,
      depth,
      trial,
      ahead,
      ...(outer === undefined ? {} : { outer }),
    };
    return frame;
  }

  /** Evaluates a statement and binds its name; what read it ahead of time now reads it. */
  #bind(statement: GraphStatement, waiting: Value[], frame: Frame): Value {
    const { ids, bound, begun } = frame;
    begun.errors = this.#reporter.errors;
    ids.enter(statement.kind === 'output' ? (statement.name?.text ?? 'output') : statement.name.text);
    const value = this.#statement(statement, waiting, frame);
    const name = statement.name?.text;
    if (name === undefined || bound.has(name)) return value;
    if (statement.kind !== 'output') bound.set(name, value);
    const ahead = frame.ahead.get(name);
    if (ahead !== undefined) this.#close(name, ahead, value);
    return value;
  }

  /** Ends a cycle: its delays read the value that is bound now. */
  #close(name: string, { token, shape, place, errors }: Ahead, value: Value): void {
    if (value.kind === 'tensor' && shape !== undefined && sameShape(value.shape, shape)) {
      this.layers.forEach((layer, i) => {
        if (!layer.inputs.includes(token)) return;
        this.layers[i] = { ...layer, inputs: layer.inputs.map((id) => (id === token ? value.op : id)) };
      });
    } else if (this.#reporter.errors === errors) this.#reporter.report('model/cycle-shape', { name }, place);
  }

  /** A value before it is bound; its shape is that of a trial without what isn't known. */
  #aheadValue(name: string, place: Span, frame: Frame): Value {
    if (frame.trial) return { kind: 'hole' };
    const known = frame.ahead.get(name);
    const token = known?.token ?? `ahead ${frame.depth} ${this.#tokens++} ${name}`;
    const { errors } = frame.begun;
    const ahead = known ?? { token, place, errors, shape: this.#trialShape(name, place, frame) };
    frame.ahead.set(name, ahead);
    return ahead.shape === undefined ? errorValue : { kind: 'tensor', op: token, shape: ahead.shape, place };
  }
  #tokens = 0;
  #trialWork = 0;

  /** The shape of a value that is bound from here on, as far as it follows without itself. */
  #trialShape(name: string, place: Span, frame: Frame): readonly number[] | undefined {
    const { body } = frame.declared.declaration;
    const end = body.findIndex((statement) => statement.kind === 'assignment' && statement.name.text === name);
    const begin = body.findIndex(({ span }) => span.start <= place.start && place.end <= span.end);
    if (begin === -1 || end < begin) return undefined;
    const [layers, work] = [this.layers.length, this.#work];
    const trial = this.#frame(frame.declared, new Map(frame.bound), frame.ids.copy(), frame.outer, true);
    this.#reporter.silently(() => {
      for (const statement of body.slice(begin, end + 1)) {
        if (statement.kind !== 'input') this.#bind(statement, [], trial);
      }
    });
    this.layers.length = layers;
    this.#trialWork += this.#work - work;
    if (this.exhausted || this.#trialWork > 10 * maxExpansion) {
      this.#tooBig(place);
      return undefined;
    }
    this.#work = work;
    const value = trial.bound.get(name);
    return value?.kind === 'tensor' ? value.shape : undefined;
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
      return this.#add({
        id: statement.name.text,
        kind: 'input',
        inputs: [],
        shape,
        attrs: {},
        place: statement.span,
      });
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
    const { source, stages } = expression;
    const back =
      stages[0] !== undefined && readsAhead(stages[0].call)
        ? aheadName(source, frame.declared.declaration, frame.bound)
        : undefined;
    let value = back === undefined ? evaluate(source, frame.context) : this.#aheadValue(back, source.span, frame);
    if (value.kind !== 'hole' && value.kind !== 'tensor' && value.kind !== 'error') {
      this.#reporter.report('model/not-a-value', { what: describeValue(value) }, expression.source.span);
      value = errorValue;
    }
    for (const stage of stages) {
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
      this.#tooBig(expression.span);
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
    const given = args.slice(0, count).map(({ value }) => {
      const back = readsAhead(written) ? aheadName(value, frame.declared.declaration, frame.bound) : undefined;
      return back === undefined ? evaluate(value, frame.context) : this.#aheadValue(back, value.span, frame);
    });
    const inputs = [...piped, ...given];
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
    const help = (): Help => {
      const kindOf = (other: string): string => environment.lookup(other)?.kind ?? 'block';
      const blocks = [...environment.names()].filter((other) => kindOf(other) === 'block');
      return layerNameHelp(name, [...blocks, ...Object.keys(layerTable)]);
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
    if (inputs.some(({ kind }) => kind === 'hole')) return shapeAround(layer, inputs, values, place);
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
    const holed = inputs.length === wanted && inputs.some(({ kind }) => kind === 'hole');
    const tensors = holed ? inputs : this.#tensors(name, inputs, { min: wanted, max: wanted }, place);
    if (values === undefined || tensors.length !== wanted) return errorValue;
    const ids = frame.ids.block();
    const outputs = this.#reporter.inside(place, `\`${name}\` is used here`, () =>
      this.#body(declared, values, tensors, ids, frame),
    );
    return [...outputs.values()].at(-1) ?? errorValue;
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
        return kind === 'tensor' || kind === 'hole' || kind === 'error';
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
    return layerSite({ op, place, frame, reporter: this.#reporter, add: (layer) => this.#add(layer) });
  }

  #add(layer: Layer): TensorValue {
    const { id, shape, place } = layer;
    this.#spend(place);
    this.layers.push(layer);
    return { kind: 'tensor', op: id, shape, layer: layer.kind, place };
  }

  #tooBig(place: Span): void {
    if (this.#work !== Infinity) this.#reporter.report('model/too-big', { limit: maxExpansion }, place);
    this.#work = Infinity;
  }

  #spend(place: Span): boolean {
    if (this.#work === maxExpansion) this.#reporter.report('model/too-big', { limit: maxExpansion }, place);
    this.#work++;
    return !this.exhausted;
  }
}
