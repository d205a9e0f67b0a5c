import { define } from './define.js';

export const engineDiagnostics = {
  'engine/batch-too-large': define<{ program: string; batch: number; gib: number }>(
    'error',
    ({ program, batch, gib }) =>
      `a batch of ${batch} of "${program}" needs ${gib.toFixed(1)} GiB at once; the fused engine can address 4 GiB`,
    `The \`fused\` engine keeps the values of one batch in one WebAssembly memory, which is at most 4 GiB.

Use a smaller batch, or the \`onnxruntime\` engine, which has no such bound.`,
  ),
  'engine/too-much-memory': define<{ program: string; needed: number; present: number }>(
    'error',
    ({ program, needed, present }) =>
      `"${program}" needs at least ${needed.toFixed(1)} GiB for one sample; there are ${present.toFixed(1)} GiB here`,
    `Before a program runs, the sizes of the values that are alive at once are added up for a single sample. These don't fit
into the memory of this machine (or of the container).

Fewer time steps, fewer channels or smaller images make them smaller. In a network in text form (\`network.ir\`), look at
the types: one of them has a size that wasn't meant.`,
  ),
  'engine/unknown': define<{ engine: string }>(
    'error',
    ({ engine }) => `there is no engine "${engine}"`,
    `Engines run compiled programs: \`fused\` (generated WebAssembly kernels for neurons, onnxruntime for synapses; the
fastest for spiking networks), \`onnxruntime\` (everything as one ONNX graph), \`native\` (C, compiled on this machine). \`auto\` takes
\`native\` for long work, where there are a C compiler and koffi, and otherwise the fastest that is always there.`,
  ),
  'engine/unavailable': define<{ engine: string; reason: string }>(
    'error',
    ({ engine, reason }) => `the engine ${engine} can't be loaded here: ${reason}`,
    `An engine runs compiled programs. This one comes with an npm package that is missing or has no binary for this
machine. Packages of engines are optional: spikec is installed without TensorFlow.js, and without onnxruntime-node where its
install script fails. The message has the command that installs what is missing; or choose another engine with \`--engine\`.`,
  ),
  'engine/native-missing': define<{ engine: string; seconds: number; reason: string }>(
    'note',
    ({ engine, seconds, reason }) =>
      `runs on ${engine} (some ${seconds.toFixed(0)} s); the engine native would take about half as long, but isn't here: ${reason}`,
    `\`auto\` estimates how long the work takes from the number of samples and from what the program computes. Where compiling the
program takes much less time than that saves, it chooses the engine \`native\`, which needs a C compiler and the package koffi. One of
them is missing here; the help says what brings it. The work is done all the same, by the engine that the message names.`,
  ),
  'engine/refused': define<{ engine: string; what: string; reason: string }>(
    'error',
    ({ engine, what, reason }) => `${engine} refuses ${what}: ${reason}`,
    `The engine read the graph and found something that it doesn't accept: the file is damaged, or it uses an operator,
a data type or an opset that this version of the engine has no implementation for. The rest of the message is the
engine's own. For a file of yours, check it with the tool that wrote it (\`onnx.checker\` in Python); exporting it again
with an opset from 13 to 21 often helps.`,
  ),
  'engine/run-failed': define<{ engine: string; what: string; reason: string }>(
    'error',
    ({ engine, what, reason }) => `${engine} failed while running ${what}: ${reason}`,
    `The engine accepted the graph and then gave up while computing: mostly because the inputs don't fit what the graph
expects (their shapes are in the message), or because memory ran out: a smaller \`--batch\` helps then.`,
  ),
  'engine/no-kernel': define<{ engine: string; op: string; kind: string; dtype: string }>(
    'error',
    ({ engine, op, kind, dtype }) => `${engine} can't compute ${kind} in ${dtype} (op "${op}")`,
    `The program asks for an operation in a number format for which this engine has no implementation, such as a
convolution in float64. Choose another engine with \`--engine\`, or the other format.`,
  ),
  'engine/program-syntax': define<{ problem: string }>(
    'error',
    ({ problem }) => problem,
    `The text form of a tensor program couldn't be read, or what it says is no valid program. The place shows the first
word that doesn't fit; the form of each line is described in \`docs/tensor-ir.md\`. The values of its params are kept apart
from the text and must be given with it.`,
  ),
  'engine/missing-input': define<{ what: string; input: string; given: string }>(
    'error',
    ({ what, input, given }) => `${what} has an input "${input}" that wasn't given (given: ${given})`,
    `Every input of a network must be fed. The names are those of the file's graph; a network for classification has
one input, the image.`,
  ),
} as const;
