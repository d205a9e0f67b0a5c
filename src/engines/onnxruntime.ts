import { diagnostic, DiagnosticError } from '../base/diagnostics/index.js';
import { emitOnnx, outputNames, unsupportedByOnnx } from '../backends/onnx/index.js';
import { type Program, batchSize, checkedFeed } from '../tensor/index.js';
import { Session } from './onnxruntime-session.js';
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
  const session = await Session.open(emitOnnx(program), { threads: options.threads, optimize: true, what });
  const names = outputNames(program);
  return {
    engine: 'onnxruntime',
    async step(inputs) {
      const n = batchSize(program, inputs) ?? 1;
      const feeds = Object.fromEntries(
        program.inputs.map((input) => [input.id, checkedFeed(input, inputs[input.id], n)]),
      );
      const results = await session.run(feeds);
      return Object.fromEntries(Object.entries(names).map(([name, inGraph]) => [name, results[inGraph]!]));
    },
    dispose: () => session.close(),
  };
}
