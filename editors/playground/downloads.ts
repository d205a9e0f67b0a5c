import { emitC } from '../../src/backends/c/index.js';
import { exportNir } from '../../src/backends/nir/index.js';
import { emitOnnx } from '../../src/backends/onnx/index.js';
import { emitTfjsProgram } from '../../src/backends/tfjs/index.js';
import { DiagnosticError, diagnostic } from '../../src/base/diagnostics/index.js';
import { type Hdf5Library, writeNir } from '../../src/data/nir-writing.js';
import { lower, mostUnrolledSteps, unrolledSteps } from '../../src/lower/program/index.js';
import type { Network } from '../../src/network/index.js';
import { type Program, simplify } from '../../src/tensor/index.js';
import { networkFiles } from '../../src/workspace/torch-files.js';
import { zipSync } from 'fflate';
import type { CompiledConfig } from './compile.js';
import type { Download, DownloadAnswer } from './messages.js';

/** HDF5 in WebAssembly, a script of its own, with its files in memory. */
export interface Hdf5InMemory extends Hdf5Library {
  readonly take: (path: string) => Uint8Array;
}

export interface DownloadTools {
  /** Loaded when the first NIR file is asked for. */
  readonly hdf5: () => Promise<Hdf5InMemory>;
  /** `layers.py`, on which emitted PyTorch programs stand. */
  readonly layers: string;
}

/** The files that `spikec compile --emit` would write of a config; several of them in a ZIP archive. */
export async function downloadOf(
  kind: Download,
  config: CompiledConfig,
  tools: DownloadTools,
): Promise<DownloadAnswer> {
  const { name, network, source, imported } = config;
  switch (kind) {
    case 'onnx':
      return { content: emitOnnx(programOf(network, 'ONNX')), notes: [] };
    case 'tfjs':
      return { content: emitTfjsProgram(programOf(network, 'TensorFlow.js')), notes: [] };
    case 'c': {
      const { files, memory, notes } = emitC({ network, program: programOf(network, 'C') });
      const bytes = (n: number): string => n.toLocaleString('en');
      const needs = `${bytes(memory.flash)} bytes of constants in flash, ${bytes(memory.ram)} bytes of memory`;
      return { content: zipped(files), notes: [needs, ...notes] };
    }
    case 'torch': {
      const before = imported === undefined ? { network: source } : {};
      return { content: zipped(networkFiles({ ...before, compiled: network, config: name }, tools.layers)), notes: [] };
    }
    case 'nir': {
      const { graph, faithful, approximate } = exportNir(network);
      const library = await tools.hdf5();
      const path = `/${name}.nir`;
      writeNir(library, path, graph);
      const count = `${faithful} nodes faithful, ${approximate.length} approximate`;
      return { content: library.take(path), notes: [count, ...approximate.map(({ message }) => message)] };
    }
  }
}

function programOf(network: Network, what: string): Program {
  const steps = unrolledSteps(network);
  if (steps > mostUnrolledSteps)
    throw new DiagnosticError([diagnostic('convert/too-long', { what, steps, most: mostUnrolledSteps })]);
  return simplify(lower(network).program);
}

function zipped(files: ReadonlyMap<string, string | Uint8Array>): Uint8Array {
  const encoder = new TextEncoder();
  return zipSync(
    Object.fromEntries(
      [...files].map(([name, content]) => [name, typeof content === 'string' ? encoder.encode(content) : content]),
    ),
  );
}
