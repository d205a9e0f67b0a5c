import { type Tensor, allocate } from '../base/dtype.js';
import { diagnostic, DiagnosticError } from '../base/diagnostics/index.js';
import { emitOnnx, outputNames, unsupportedByOnnx } from '../backends/onnx/index.js';
import { type Program, batchSize, checkedFeed } from '../tensor/index.js';
import { type Binding, Session } from './onnxruntime-session.js';
import { type StatePort, checkState, chosenStates, portsOf } from './states.js';
import type { Engine, OpenOptions, Opened } from './types.js';

/** Runs a whole program as one ONNX graph in onnxruntime-node. */
export const onnxruntimeEngine: Engine = {
  name: 'onnxruntime',
  open: openOnnxruntime,
};

async function openOnnxruntime(program: Program, options: OpenOptions = {}): Promise<Opened> {
  const unsupported = unsupportedByOnnx(program);
  if (unsupported.length > 0) {
    throw new DiagnosticError(
      unsupported.map(({ id, kind, dtype }) =>
        diagnostic('engine/no-kernel', { engine: 'onnxruntime', op: id, kind, dtype }),
      ),
    );
  }
  const what = `program "${program.name}"`;
  const ports = portsOf(program, options.states);
  const { threads, brief } = options;
  const session = await Session.open(emitOnnx(program), { threads, brief, optimize: true, what });
  const names = outputNames(program);
  const returned = Object.keys(ports.returned);
  const states = new BoundStates(session, ports.states, names, options.states);
  return {
    engine: 'onnxruntime',
    async step(inputs) {
      const n = batchSize(program, inputs) ?? 1;
      const feeds = Object.fromEntries(ports.fed.map((input) => [input.id, checkedFeed(input, inputs[input.id], n)]));
      const fetches = returned.map((name) => names[name]!);
      const results = await session.run(feeds, fetches, states.binding());
      states.advance();
      return Object.fromEntries(returned.map((name) => [name, results[names[name]!]!]));
    },
    read: (ids, { before = false } = {}) => Promise.resolve().then(() => states.read(ids, before)),
    write: (values) => Promise.resolve().then(() => states.write(values)),
    dispose: () => session.close(),
  };
}

/** A value of a state in memory that onnxruntime reads and writes in place. */
interface Bound {
  readonly value: Tensor;
  readonly ort: ReturnType<Session['bind']>;
}

/** States in two places each: a step reads one and writes the other, then they change roles. */
class BoundStates {
  #now: Map<string, Bound>;
  #other: Map<string, Bound>;
  #stepped = false;

  constructor(
    session: Session,
    readonly ports: readonly StatePort[],
    readonly names: Readonly<Record<string, string>>,
    initial: ReadonlyMap<string, Tensor> = new Map(),
  ) {
    const bound = (from: (value: Tensor) => Tensor['data']): Map<string, Bound> =>
      new Map(
        ports.map(({ id }) => {
          const given = initial.get(id)!;
          const value = { ...given, data: from(given) } as Tensor;
          return [id, { value, ort: session.bind(value) }];
        }),
      );
    this.#now = bound(({ data }) => data.slice());
    this.#other = bound(({ dtype, data }) => allocate(dtype, data.length));
  }

  binding(): Binding {
    return {
      feeds: Object.fromEntries(this.ports.map(({ id }) => [id, this.#now.get(id)!.ort])),
      fetches: Object.fromEntries(this.ports.map(({ id, next }) => [this.names[next]!, this.#other.get(id)!.ort])),
    };
  }

  advance(): void {
    [this.#now, this.#other] = [this.#other, this.#now];
    this.#stepped = true;
  }

  read(ids: readonly string[] | undefined, before: boolean): Map<string, Tensor> {
    if (before && !this.#stepped) throw new TypeError('states before the last step: there was no step');
    const from = before ? this.#other : this.#now;
    return new Map(
      chosenStates(this.ports, ids).map(({ id }) => {
        const { value } = from.get(id)!;
        return [id, { ...value, data: value.data.slice() } as Tensor];
      }),
    );
  }

  write(values: ReadonlyMap<string, Tensor>): void {
    for (const { id, input } of chosenStates(this.ports, [...values.keys()])) {
      const given = values.get(id)!;
      checkState(input, given);
      this.#now.get(id)!.value.data.set(given.data);
    }
  }
}
