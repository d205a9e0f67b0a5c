import type * as TensorFlow from '@tensorflow/tfjs';
import { emitTfjsProgram, tfTypes, unsupportedByTfjs } from '../backends/tfjs/index.js';
import { DiagnosticError, diagnostic, fail } from '../base/diagnostics/index.js';
import { type DType, type Tensor, tensor } from '../base/dtype.js';
import { type Program, batchSize, checkedFeed } from '../tensor/index.js';
import { giveWasmKernels } from './tfjs-wasm/kernels.js';
import { checkState, chosenStates, portsOf } from './states.js';
import type { OpenOptions, Opened } from './types.js';

type Tf = typeof TensorFlow;
type Tensors = Record<string, TensorFlow.Tensor>;

/** A diagnostic for each op that TensorFlow.js has no number format for. */
export function refuseUnsupported(program: Program, engine: string): void {
  const unsupported = unsupportedByTfjs(program);
  if (unsupported.length === 0) return;
  throw new DiagnosticError(
    unsupported.map(({ id, kind, dtype }) => diagnostic('engine/no-kernel', { engine, op: id, kind, dtype })),
  );
}

/**
 * Opens a program on a TensorFlow.js that is loaded, on one of its backends: by the module that we emit, imported from its text.
 * Needs no Node, so that a page can train.
 */
export async function openOnTfjs(
  program: Program,
  tf: Tf,
  backend: string,
  options: OpenOptions = {},
): Promise<Opened> {
  const engine = `tfjs-${backend}`;
  refuseUnsupported(program, engine);
  const ports = portsOf(program, options.states);
  const address = `data:text/javascript;charset=utf-8,${encodeURIComponent(emitTfjsProgram(program))}`;
  const module = (await import(/* @vite-ignore */ address)) as {
    readonly run: (tf: Tf, given: Tensors) => Tensors;
  };
  await tf.setBackend(backend);
  if (backend === 'wasm') giveWasmKernels(tf);
  const params = Object.fromEntries(program.params.map(({ id, data }) => [id, toTf(tf, data)]));
  let now = Object.fromEntries([...(options.states ?? [])].map(([id, value]) => [id, ownTf(tf, value)]));
  let before: Tensors | undefined;
  return {
    engine,
    async step(inputs) {
      await tf.setBackend(backend);
      const n = batchSize(program, inputs) ?? 1;
      const feeds = Object.fromEntries(
        ports.fed.map((input) => [input.id, toTf(tf, checkedFeed(input, inputs[input.id], n))]),
      );
      if (before !== undefined) tf.dispose(before);
      before = undefined;
      let results: Tensors = {};
      try {
        results = module.run(tf, { ...params, ...now, ...feeds });
        const returned = await fetchAll(program, ports.returned, results);
        before = now;
        now = Object.fromEntries(ports.states.map(({ id, next }) => [id, results[next]!]));
        for (const { next } of ports.states) delete results[next];
        return returned;
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        return fail('engine/run-failed', { engine, what: `program "${program.name}"`, reason });
      } finally {
        tf.dispose(feeds);
        tf.dispose(results);
      }
    },
    async read(ids, { before: last = false } = {}) {
      await tf.setBackend(backend);
      const from = last ? before : now;
      if (from === undefined) throw new TypeError('states before the last step: there was no step');
      const entries = chosenStates(ports.states, ids).map(async ({ id, input }) => {
        const { shape, data } = { shape: from[id]!.shape, data: await from[id]!.data() };
        return [id, tensor(input.dtype, shape, data)] as const;
      });
      return new Map(await Promise.all(entries));
    },
    async write(values) {
      await tf.setBackend(backend);
      for (const { id, input } of chosenStates(ports.states, [...values.keys()])) {
        checkState(input, values.get(id)!);
        tf.dispose(now[id]!);
        now[id] = ownTf(tf, values.get(id)!);
      }
    },
    dispose() {
      tf.dispose([params, now, before ?? {}]);
      return Promise.resolve();
    },
  };
}

function toTf(tf: Tf, { dtype, shape, data }: Tensor): TensorFlow.Tensor {
  const values = dtype === 'i8' || dtype === 'u8' ? Int32Array.from(data) : data;
  return tf.tensor(values as Float32Array, [...shape], (dtype === 'bool' ? 'bool' : tfTypes[dtype]) as 'float32');
}

/** A tensor over a copy: one that stays must not change with the array that it was made of. */
function ownTf(tf: Tf, value: Tensor): TensorFlow.Tensor {
  return toTf(tf, { ...value, data: value.data.slice() } as Tensor);
}

async function fetchAll(
  program: Program,
  outputs: Program['outputs'],
  results: Tensors,
): Promise<Record<string, Tensor>> {
  const dtypes = new Map<string, DType>();
  for (const { id, dtype } of [...program.inputs, ...program.params, ...program.ops]) dtypes.set(id, dtype);
  const entries = Object.entries(outputs).map(async ([name, id]) => {
    const result = results[name]!;
    return [name, tensor(dtypes.get(id)!, result.shape, await result.data())] as const;
  });
  return Object.fromEntries(await Promise.all(entries));
}
