import { tensor } from '../base/dtype.js';
import { ProgramBuilder } from './builder.js';
import { opDef, primKinds } from './ops/index.js';
import { surrogateTable } from './ops/surrogate.js';
import { printProgram } from './print.js';

/** `docs/tensor-ir.md`: values, time, the text form and every primitive, from the table of primitives. */
export function tensorReference(): string {
  const rows = primKinds.map((kind) => {
    const { arity, attrs, doc, gradient } = opDef(kind);
    const names = attrs as readonly string[];
    const plain = names.filter((name) => !name.startsWith('surrogate')).map((name) => `\`${name}\``);
    const all = names.length === plain.length ? plain : [...plain, 'surrogate'];
    const derivative = typeof gradient === 'object' ? `none: ${gradient.none}` : 'yes';
    const count = arity === 'many' ? '1…n' : String(arity);
    return `| \`${kind}\` | ${count} | ${all.join(' ') || '–'} | ${doc.replaceAll('|', '\\|')} | ${derivative} |`;
  });
  return `${introduction}
## Text form

\`printProgram\` writes it, \`parseProgram\` reads it back; the data of params is kept apart from it.

\`\`\`
${printProgram(example()).trimEnd()}
\`\`\`

## Primitives

| primitive | operands | attributes | result | gradient |
| --- | --- | --- | --- | --- |
${rows.join('\n')}

${loops}${conclusion}`;
}

/** Two steps of a leaky neuron behind a linear layer. */
function example() {
  const b = new ProgramBuilder('example');
  const x = b.input('x', 'f32', [{ batch: 2 }, 3]);
  const w = b.param('fc.w', tensor('f32', [4, 3], new Float32Array(12)));
  const current = b.at('fc').as('current').matmul(x, w, { transB: true });
  b.at('lif');
  const u = b.as('u1').step(current, 0);
  const fired = b.as('s1').ge(u, 1, { surrogate: 'triangle', surrogate_width: 1 });
  const rest = b.as('rest1').select(b.as('cut1').detach(fired), 0, u);
  const next = b.as('u2').add(b.as('decayed').mul(rest, 0.5), b.as('i2').step(current, 1));
  b.output('u', next);
  return b.build();
}

const introduction = `# Tensor IR

A program is a flat list of primitive operations over named values, each assigned once: the form in which networks,
neurons' equations, losses, optimisers and gradients reach an engine. This page is generated (\`npm run docs\`); the rules
themselves are in \`src/tensor/ops\`, one table with the shape rule, the reference evaluator and the gradient of each
primitive together.

## Values

A value has a number format and a shape. Formats: \`f32 f64 i32 i8 u8 bool\`. Operations compute in their operands' format,
and operands must have the same one: \`cast\` is the only conversion. \`f32\` and \`f64\` follow IEEE 754; \`i32\` wraps.

A dimension is a number or a multiple of the batch size N, which is known only when a program runs: \`[8N,3,32,32]\`. A
shape has at most one such dimension. **Time is folded into the batch**, as its slowest factor: a train of T steps of
\`[C,H,W]\` is one value \`[TN,C,H,W]\` whose rows 0…N−1 are the first step. Synapses therefore act on all steps at once, and
step t is the slice t…t+1 of axis 0, because slices, pads and concatenations on a batch axis count in units of N rows.
\`reshape\` to \`[T,N,…]\` gives time an axis of its own.

Binary operations broadcast as in numpy. Convolutions and pools take \`[N,C,H,W]\`, weights \`[O,I,kh,kw]\`, pads in the order
top, left, bottom, right.
`;

/** The same neuron over 100 steps. */
function loopExample() {
  const step = new ProgramBuilder('step');
  const u = step
    .as('charged')
    .add(step.mul(step.input('u', 'f32', [{ batch: 1 }, 4]), 0.5), step.input('i', 'f32', [{ batch: 1 }, 4]));
  const fired = step.as('fired').ge(u, 1, { surrogate: 'triangle', surrogate_width: 1 });
  step.output('u.next', step.as('rest').select(step.detach(fired), 0, u));
  step.output('spikes', step.as('train').cast(fired, 'f32'));
  const b = new ProgramBuilder('example');
  const current = b.input('current', 'f32', [{ batch: 100 }, 4]);
  const zero = b.broadcast(b.scalar('f32', 0), [{ batch: 1 }, 4]);
  b.at('lif');
  const { stacked } = b.as('loop').scan({ body: step.build(), steps: 100, initial: [zero], scanned: [current] });
  b.output('spikes', stacked[0]!);
  return b.build();
}

const loops = `## Loops

\`scan\` runs a body, a program of its own, once per time step. Its operands are, in the order of the body's inputs:

1. \`states\` states, as they are before the first step;
2. \`scanned\` trains of \`steps\` steps: the body sees one step. Time is folded into axis 0, as everywhere: of a train
   [TN,4] the body sees [N,4], of [2TN,4] it sees [2N,4], and of [3T,4] (no batch) [3,4];
3. whatever is the same at every step: weights, parameters.

The body's outputs are, in order, the states' next values, each of its state's type, and what is stacked to trains. It has
no params, but may have loops in it. The result of a scan is a tuple, its type is written (f32[N,4], f32[100N,4]): the
states after the last step, then the stacked trains. Only \`scan_output\` reads it. With \`reverse\` the loop goes from the
last step to the first: what is read and stacked keeps its place in time.

\`\`\`
${printProgram(loopExample()).trimEnd()}
\`\`\`

The gradient of a scan is a scan the other way. It carries ∂loss/∂state, and for each weight the sum of its gradients so
far. At each step it needs what the forward step computed: the states before the step and results of \`matmul\` and
\`conv2d\` are stacked by the forward loop, the rest is computed again. Memory therefore grows with T by the states and
products alone, and a training step has as many operations for T = 1000 as for T = 10.

Simplifying a program simplifies the bodies and drops states, trains and operands that nothing reads; equal loops are
computed once.

`;

const conclusion = `## Gradients

\`autodiff(program, loss, wrt)\` adds the backward operations to a program, source to source, and simplifies the result.
A discontinuous operation passes a gradient only if it carries a surrogate, the derivative that stands in for the jump; v
is the distance from the jump (for \`a ≥ b\`, a − b):

| \`surrogate\` | arguments, with defaults | derivative |
| --- | --- | --- |
${surrogateRows()}

\`floor\`, \`round\` and \`sign\` have the surrogate at each of their jumps, times the jump's height; with \`ste\`, v is the
operand itself. A truth value carries the gradient of the number it is cast to; \`and\`, \`or\`, \`not\` and the condition of
\`select\` pass it on. \`detach\` cuts it: a reset that must not be differentiated is \`select(detach(fired), 0, u)\`.

\`trainingStep(forward, …)\` makes the whole step of training: forward, backward and the optimiser's update. Trained params
and the optimiser's memory become inputs \`ID\` and outputs \`next.ID\`.

## Engines

| engine | how | number formats |
| --- | --- | --- |
| reference evaluator | loops over every element, each result computed in float64 and rounded to its format; \`precision: 'f64'\` leaves the rounding out | all |
| \`onnxruntime\` | the program as one ONNX graph (opset 17); a loop is its operator \`Scan\` | all, but convolutions and average pools in f32 only |
| \`native\` | the program as C, compiled where it runs, images turned to [N,H,W,C] inside | all |
| \`tfjs-wasm\`, \`tfjs-cpu\`, \`tfjs-tensorflow\` | the program as a JavaScript function over TensorFlow.js, images turned to [N,H,W,C] inside; a loop is a \`for\` | no f64, no products of i32 matrices |

Every primitive is tested on each engine against the reference evaluator. They agree up to rounding, with these limits: a
cast to i32 of a number outside its range is unspecified; in TensorFlow.js, \`select\`, \`min\` and \`max\` of f32 want finite
operands, because they are products with 0 and 1 there.
`;

/** Rows of the table of surrogates. */
function surrogateRows(): string {
  const shown = (value: number): string => (Number.isFinite(value) ? String(value) : value < 0 ? '−∞' : '∞');
  const rows = Object.entries(surrogateTable).map(([name, { args, doc }]) => {
    const given = Object.entries(args).map(([arg, value]) => `\`surrogate_${arg}\` ${shown(value)}`);
    return `| \`${name}\` | ${given.join(', ')} | ${doc.replaceAll('|', '\\|')} |`;
  });
  return rows.join('\n');
}
