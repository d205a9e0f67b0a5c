import { type Diagnostic, type Outcome, diagnostic } from '../../base/diagnostics/index.js';
import { type DType, elementCount } from '../../base/dtype.js';
import { mostElements, mostSteps } from '../../base/limits.js';
import type { Source, Span } from '../../base/source.js';
import { IrSyntaxError, TokenStream, shortened } from '../../base/tokens.js';
import { type NeuronDef, neuronProblems, parseNeuron } from '../../equations/index.js';
import { decodedOp } from '../builder.js';
import { isOpKind } from '../ops/index.js';
import {
  type AttrValue,
  type Code,
  type Coding,
  type Network,
  type Op,
  type Param,
  type Time,
  type ValueType,
} from '../types.js';
import { firstOversized } from '../sizes.js';
import { type Problem, feedProblems, verifyNetwork, verifyValues } from '../verify.js';

const shownProblems = 100;

/** Reads the text form back; `weights` holds the values of its parameters. The result is verified. */
export function parseNetwork(source: Source, weights: ReadonlyMap<string, Param>): Outcome<Network> {
  let parser: IrParser;
  let network: Network;
  try {
    parser = new IrParser(source, weights);
    network = parser.network();
  } catch (error) {
    if (error instanceof IrSyntaxError) return { diagnostics: [error.diagnostic] };
    throw error;
  }
  const diagnostics = diagnosticsOf(network, parser, source).slice(0, shownProblems);
  return diagnostics.length > 0 ? { diagnostics } : { value: network, diagnostics };
}

/** What the text says, before anything of it is verified. Throws an IrSyntaxError. */
export function networkOfText(source: Source, weights: ReadonlyMap<string, Param>): Network {
  return new IrParser(source, weights).network();
}

function diagnosticsOf(network: Network, parser: IrParser, source: Source): readonly Diagnostic[] {
  if (network.outputs.length === 0 && parser.problems.length === 0) {
    const message = 'ends without its outputs: lines such as `output %logits` are missing, perhaps more before them';
    return [diagnostic('network/invalid', { what: 'the text', message }, parser.end)];
  }
  const problems = problemsOf(network, parser);
  if (problems.length === 0) {
    return parser.equations.map(({ what, message, place }) => diagnostic('network/invalid', { what, message }, place));
  }
  return problems.map(({ op, message, help }) => {
    const place = parser.places.get(op) ?? { file: source.name };
    return diagnostic('network/invalid', { what: `%${op}`, message }, place, help === undefined ? {} : { help });
  });
}

/** Each kind of check counts on those before it. */
function problemsOf(network: Network, { problems }: IrParser): readonly Problem[] {
  if (problems.length > 0) return problems;
  const invalid = verifyNetwork(network, shownProblems);
  if (invalid.length > 0) return invalid;
  const large = firstOversized(network);
  if (large !== undefined) {
    return [{ op: large.op.id, message: `${large.what} ${large.size} ${large.unit}, more than ${large.limit}` }];
  }
  return [...feedProblems(network), ...verifyValues(network)];
}

class IrParser {
  readonly #tokens: TokenStream;
  readonly #ops: Op[] = [];
  readonly #params = new Map<string, Param>();
  readonly #neurons = new Map<string, NeuronDef>();
  readonly #notes: string[] = [];
  readonly #outputs: string[] = [];
  /** Where each op begins: the first of its id. */
  readonly places = new Map<string, Span>();
  /** What neurons' equations may not say, at the neuron's name. */
  readonly equations: { readonly what: string; readonly message: string; readonly place: Span }[] = [];
  /** What no op of its kind may say. */
  readonly problems: Problem[] = [];

  constructor(
    source: Source,
    readonly weights: ReadonlyMap<string, Param>,
  ) {
    this.#tokens = new TokenStream(source);
  }

  /** Where the text ends. */
  get end(): Span {
    return this.#tokens.next.span;
  }

  network(): Network {
    const tokens = this.#tokens;
    tokens.expect('network');
    const name = tokens.name();
    let coding: Coding | undefined;
    if (tokens.accept('coding')) {
      const scheme = tokens.name();
      tokens.expect('(');
      coding = { name: scheme, args: this.#attrs(')') };
    }
    if (tokens.accept('latency')) tokens.number();
    while (tokens.next.kind !== 'end') this.#item();
    return {
      name,
      ...(coding === undefined ? {} : { coding }),
      ops: this.#ops,
      outputs: this.#outputs,
      params: this.#params,
      neurons: this.#neurons,
      notes: this.#notes,
    };
  }

  #item(): void {
    const tokens = this.#tokens;
    if (tokens.next.kind === 'value') this.#op();
    else if (tokens.accept('note')) this.#notes.push(tokens.name());
    else if (tokens.accept('param')) this.#param();
    else if (tokens.accept('output')) this.#outputs.push(tokens.value());
    else if (tokens.accept('neuron')) {
      const place = tokens.next.span;
      const def = parseNeuron(tokens);
      const what = `neuron ${def.name}`;
      this.equations.push(...neuronProblems(def).map((message) => ({ what, message, place })));
      this.#neurons.set(def.name, def);
    } else tokens.fail('a value, note, neuron, param or output');
  }

  #param(): void {
    const tokens = this.#tokens;
    const place = tokens.next.span;
    const name = tokens.name();
    tokens.expect(':');
    const dtype = tokens.name() as DType;
    const shape = this.#shape();
    if (tokens.accept('quant')) {
      tokens.expect('(');
      this.#attrs(')');
    }
    const param = this.weights.get(name);
    if (param === undefined) throw new IrSyntaxError(`there are no weights for parameter ${shortened(name)}`, place);
    const { tensor } = param;
    if (tensor.dtype !== dtype || tensor.shape.join() !== shape.join()) {
      const found = `${tensor.dtype}[${tensor.shape.join(',')}]`;
      throw new IrSyntaxError(
        `the weights of ${shortened(name)} are ${found}, not ${dtype}[${shape.join(',')}]`,
        place,
      );
    }
    this.#params.set(name, param);
  }

  #op(): void {
    const tokens = this.#tokens;
    const at = tokens.next.span;
    const id = tokens.value();
    if (!this.places.has(id)) this.places.set(id, at);
    tokens.expect('=');
    const place = tokens.next.span;
    const word = tokens.name();
    const neuron = word.startsWith('neuron.') ? word.slice('neuron.'.length) : undefined;
    const kind = neuron === undefined ? word : 'neuron';
    if (!isOpKind(kind)) throw new IrSyntaxError(`there is no layer kind ${shortened(kind)}`, place);
    const inputs: string[] = [];
    while (tokens.next.kind === 'value') inputs.push(tokens.value());
    const attrs = tokens.accept('{') ? this.#attrs('}') : {};
    const params = tokens.accept('(') ? this.#roles() : {};
    tokens.expect(':');
    const type = this.#type();
    const origin = tokens.accept('from') ? tokens.name() : undefined;
    const all = neuron === undefined ? attrs : { neuron, ...attrs };
    const made = decodedOp({
      id,
      kind,
      inputs,
      attrs: all,
      params,
      type,
      ...(origin === undefined ? {} : { origin }),
    });
    if ('problems' in made) this.problems.push(...made.problems.map((message) => ({ op: id, message })));
    else this.#ops.push(made);
  }

  #attrs(close: string): Record<string, AttrValue> {
    const tokens = this.#tokens;
    const attrs: [string, AttrValue][] = [];
    while (!tokens.is(close)) {
      attrs.push([tokens.name(), tokens.accept('=') ? this.#attrValue() : true]);
      if (!tokens.accept(',')) break;
    }
    tokens.expect(close);
    return Object.fromEntries(attrs);
  }

  /** `weight=c1.weight, bias=c1.bias)` */
  #roles(): Record<string, string> {
    const tokens = this.#tokens;
    const roles: [string, string][] = [];
    while (!tokens.is(')')) {
      const role = tokens.name();
      tokens.expect('=');
      roles.push([role, tokens.name()]);
      if (!tokens.accept(',')) break;
    }
    tokens.expect(')');
    return Object.fromEntries(roles);
  }

  #attrValue(): AttrValue {
    const tokens = this.#tokens;
    if (tokens.accept('[')) {
      const list: number[] = [];
      while (!tokens.is(']')) {
        list.push(tokens.number());
        if (!tokens.accept(',')) break;
      }
      tokens.expect(']');
      return list;
    }
    if (tokens.next.kind === 'string') return tokens.name();
    if (tokens.accept('false')) return false;
    if (tokens.accept('true')) return true;
    if (tokens.next.kind === 'name' && !tokens.is('Infinity') && !tokens.is('NaN')) return tokens.name();
    return tokens.number();
  }

  #shape(): number[] {
    const tokens = this.#tokens;
    tokens.expect('[');
    const shape: number[] = [];
    while (!tokens.is(']')) {
      shape.push(tokens.whole(0, mostElements));
      if (!tokens.accept(',')) break;
    }
    tokens.expect(']');
    return shape;
  }

  #type(): ValueType {
    const tokens = this.#tokens;
    const code = this.#code();
    const place = tokens.next.span;
    const shape = this.#shape();
    const time = tokens.accept('@') ? this.#time() : undefined;
    if (elementCount(shape) * (time?.steps ?? 1) > mostElements) {
      throw new IrSyntaxError(`a value has at most ${mostElements} elements over all its steps`, place);
    }
    return time === undefined ? { shape, code } : { shape, code, time };
  }

  #time(): Time {
    const tokens = this.#tokens;
    const start = tokens.whole(1, mostSteps);
    tokens.expect('..');
    return { start, steps: tokens.whole(start, mostSteps) - start + 1 };
  }

  #code(): Code {
    const tokens = this.#tokens;
    const kind = tokens.name();
    if (kind === 'real' || kind === 'psp') return { kind };
    if (kind !== 'spike' && kind !== 'quant') return tokens.fail('real, psp, spike or quant');
    tokens.expect('{');
    const min = tokens.number();
    tokens.expect('..');
    const max = tokens.number();
    const rest = tokens.accept(',') ? this.#attrs('}') : {};
    if (Object.keys(rest).length === 0) tokens.expect('}');
    const number = (key: string, fallback: number): number => {
      const value = rest[key] ?? fallback;
      return typeof value === 'number' ? value : tokens.fail(`a number for ${key}`);
    };
    if (kind === 'spike') return { kind, min, max, step: number('step', 1) };
    return { kind, min, max, scale: number('scale', 1), zero: number('zero', 0) };
  }
}
