import type { NeuronDef } from '../equations/index.js';
import type { Argument, CallExpression, GraphDeclaration, NeuronDeclaration, TypeExpression } from '../syntax/index.js';
import { type Callee, calleeOf, coerce, evaluateAs, matchArguments } from './arguments.js';
import type { Declared, LoadedFile } from './declared.js';
import { type Declarations, fileContext, fileEnvironment } from './environment.js';
import type { Environment, EvaluationContext, GraphHooks } from './evaluate.js';
import type { Bodies } from './bodies.js';
import { Expander } from './expand.js';
import { liveLayers } from './live-layers.js';
import { checkNeuron } from './neuron.js';
import type { Reporter } from './reporter.js';
import { type Spec, describeSpec } from './schema.js';
import type { NetworkOutput, OwnNetwork } from './types.js';
import { type BlockValue, type Value, errorValue } from './values.js';

const plainTypes: Readonly<Record<string, Spec>> = {
  int: { kind: 'int' },
  real: { kind: 'real' },
  bool: { kind: 'bool' },
  string: { kind: 'string' },
  block: { kind: 'block' },
  neuron: { kind: 'neuron' },
};

/** A graph's parameters by their names. */
function parametersOf({ parameters }: GraphDeclaration) {
  return parameters.map((parameter) => ({ ...parameter, name: parameter.name.text }));
}

/** Makes networks and neurons of declarations; each neuron once. */
export class Instantiator implements Declarations, Bodies {
  readonly #reporter: Reporter;
  readonly #neurons = new Map<NeuronDeclaration, NeuronDef>();
  readonly #recursive = new Set<GraphDeclaration>();

  constructor(reporter: Reporter) {
    this.#reporter = reporter;
  }

  neuron(declaration: NeuronDeclaration): NeuronDef {
    const known = this.#neurons.get(declaration);
    if (known !== undefined) return known;
    const def = checkNeuron(declaration, this.#reporter);
    this.#neurons.set(declaration, def);
    return def;
  }

  /** A neuron that was checked before. */
  know(declaration: NeuronDeclaration, def: NeuronDef): void {
    this.#neurons.set(declaration, def);
  }

  environment(file: LoadedFile): Environment {
    return fileEnvironment(file, this);
  }

  context(file: LoadedFile, environment: Environment, graph: GraphHooks): EvaluationContext {
    return { ...fileContext(file, this.#reporter, this), environment, graph };
  }

  reportRecursion(declaration: GraphDeclaration, path: readonly string[]): void {
    if (this.#recursive.has(declaration)) return;
    this.#recursive.add(declaration);
    const { name } = declaration;
    const start = path.slice(path.indexOf(name.text));
    this.#reporter.report('model/recursion', { name: name.text, path: start.join(' → ') }, name.span);
  }

  isRecursive(declaration: GraphDeclaration): boolean {
    return this.#recursive.has(declaration);
  }

  /** The network with its arguments, expanded; nothing where that fails. */
  network(
    declared: Declared<GraphDeclaration>,
    callee: Callee,
    args: readonly Argument[],
    context: EvaluationContext,
  ): OwnNetwork | undefined {
    const values = this.arguments({ declared }, callee, args, context);
    if (values === undefined) return undefined;
    const expander = new Expander(this.#reporter, this);
    const outputs: NetworkOutput[] = [];
    for (const [output, value] of expander.network(declared, values)) {
      if (value.kind !== 'tensor') return undefined;
      outputs.push({ name: output, layer: value.op, place: value.place });
    }
    const [first, ...others] = outputs;
    if (first === undefined || expander.exhausted) return undefined;
    const { name } = declared.declaration;
    const layers = liveLayers(
      expander.layers,
      outputs.map(({ layer }) => layer),
    );
    return { kind: 'network', name: name.text, layers, outputs: [first, ...others], place: callee.place };
  }

  blockWith({ declared, set }: BlockValue, written: CallExpression, context: EvaluationContext): Value {
    const { name, args } = calleeOf(written);
    const parameters = parametersOf(declared.declaration);
    const given = matchArguments({ name, place: written.span }, parameters, args, context);
    const values = new Map(set?.values);
    for (const { name: parameter, type } of parameters) {
      const argument = given.get(parameter);
      if (argument === undefined) continue;
      const what = `\`${parameter}\` of \`${name}\``;
      values.set(parameter, evaluateAs(argument.value, this.#specOf(type), what, context));
    }
    const sound = given.size === args.length && [...values.values()].every(({ kind }) => kind !== 'error');
    return sound ? { kind: 'block', declared, set: { values, place: written.span } } : errorValue;
  }

  /**
   * Values of a graph's parameters; defaults may use the parameters before them. A block may come with some already set:
   * these can't be given again.
   */
  arguments(
    { declared, set }: Pick<BlockValue, 'declared' | 'set'>,
    callee: Callee,
    args: readonly Argument[],
    context: EvaluationContext,
  ): ReadonlyMap<string, Value> | undefined {
    const { declaration, file } = declared;
    const parameters = parametersOf(declaration);
    const given = matchArguments(callee, parameters, args, context);
    const values = new Map<string, Value>();
    const outside = this.environment(file);
    const environment: Environment = {
      lookup: (name) => values.get(name) ?? outside.lookup(name),
      names: () => [...values.keys(), ...outside.names()],
    };
    const inside = { ...fileContext(file, this.#reporter, this), environment };
    let sound = given.size === args.length;
    for (const { name, type, default: otherwise } of parameters) {
      const spec = this.#specOf(type);
      const argument = given.get(name);
      const already = set?.values.get(name);
      const what = `\`${name}\` of \`${callee.name}\``;
      let value: Value = errorValue;
      if (argument !== undefined && already !== undefined) {
        const related = [{ place: set!.place, message: 'first given here' }];
        this.#reporter.report('model/argument-twice', { callee: callee.name, name }, argument.span, { related });
      } else if (already !== undefined) value = already;
      else if (argument !== undefined) value = evaluateAs(argument.value, spec, what, context);
      else if (otherwise !== undefined) value = evaluateAs(otherwise, spec, `the default of \`${name}\``, inside);
      else {
        const missing = { callee: callee.name, name, type: describeSpec(spec) };
        const related = [{ place: declaration.name.span, message: 'declared here' }];
        this.#reporter.report('model/argument-missing', missing, callee.place, { related });
      }
      if (value.kind === 'tensor') value = coerce(value, { kind: 'real' }, what, callee.place, context);
      if (value.kind === 'error') sound = false;
      values.set(name, value);
    }
    return sound ? values : undefined;
  }

  #specOf(type: TypeExpression | undefined): Spec {
    return type === undefined ? { kind: 'any' } : this.#spec(type);
  }

  #spec(type: TypeExpression): Spec {
    const plain = Object.hasOwn(plainTypes, type.name.text) ? plainTypes[type.name.text]! : undefined;
    if (plain === undefined) {
      const expected = 'one of `int`, `real`, `bool`, `string`, `block`, `neuron`, or a list such as `int[]`';
      const args = { what: 'the type of a parameter', expected, found: `\`${type.name.text}\`` };
      this.#reporter.report('model/argument-type', args, type.span);
      return { kind: 'any' };
    }
    const { dimensions } = type;
    if (dimensions === undefined) return plain;
    const [length] = dimensions;
    return { kind: 'list', of: plain, ...(length?.kind === 'number' ? { length: length.value } : {}) };
  }
}
