import { tensor } from '../base/dtype.js';
import { ProgramBuilder } from './builder.js';
import { opDef, primKinds } from './ops/index.js';
import { printProgram } from './print.js';

/** `docs/tensor-ir.md`: values, time, the text form and every primitive, from the table of primitives. */
export function tensorReference(): string {
  const rows = primKinds.map((kind) => {
    const { arity, attrs, doc, gradient } = opDef(kind);
    const names = attrs as readonly string[];
    const plain = names.filter((name) => !name.startsWith('surrogate')).map((name) => `\`${name}\``);
    const all = names.length === plain.length ? plain : [...plain, 'surrogate'];
    const derivative = typeof gradient === 'function' ? 'yes' : `none: ${gradient.none}`;
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

${conclusion}`;
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

const conclusion = `## Gradients

\`autodiff(program, loss, wrt)\` adds the backward operations to a program, source to source, and simplifies the result.
A discontinuous operation passes a gradient only if it carries a surrogate, the derivative that stands in for the jump; v
is the distance from the jump (for \`a ≥ b\`, a − b):

| \`surrogate\` | arguments, with defaults | derivative |
| --- | --- | --- |
| \`rectangle\` | \`surrogate_width\` 1 | 1/width where \\|v\\| < width/2 |
| \`triangle\` | \`surrogate_width\` 1 | max(0, 1 − \\|v\\|/width)/width |
| \`sigmoid\` | \`surrogate_slope\` 4 | slope·σ(slope·v)·(1 − σ(slope·v)) |
| \`atan\` | \`surrogate_alpha\` 2 | (alpha/2)/(1 + (π/2·alpha·v)²) |
| \`fast_sigmoid\` | \`surrogate_slope\` 25 | 1/(1 + slope·\\|v\\|)² |
| \`ste\` | \`surrogate_lo\` −∞, \`surrogate_hi\` ∞ | 1 where lo ≤ v ≤ hi |

\`floor\`, \`round\` and \`sign\` have the surrogate at each of their jumps, times the jump's height; with \`ste\`, v is the
operand itself. A truth value carries the gradient of the number it is cast to; \`and\`, \`or\`, \`not\` and the condition of
\`select\` pass it on. \`detach\` cuts it: a reset that must not be differentiated is \`select(detach(fired), 0, u)\`.

\`trainingStep(forward, …)\` makes the whole step of training: forward, backward and the optimiser's update. Trained params
and the optimiser's memory become inputs \`ID\` and outputs \`next.ID\`.

## Engines

| engine | how | number formats |
| --- | --- | --- |
| reference evaluator | loops over every element, each result computed in float64 and rounded to its format; \`precision: 'f64'\` leaves the rounding out | all |
| \`onnxruntime\` | the program as one ONNX graph (opset 17) | all, but convolutions and average pools in f32 only |
| \`tfjs-wasm\`, \`tfjs-cpu\`, \`tfjs-tensorflow\` | the program as a JavaScript function over TensorFlow.js, images turned to [N,H,W,C] inside | no f64, no products of i32 matrices |

Every primitive is tested on each engine against the reference evaluator. They agree up to rounding, with these limits: a
cast to i32 of a number outside its range is unspecified; in TensorFlow.js, \`select\`, \`min\` and \`max\` of f32 want finite
operands, because they are products with 0 and 1 there.
`;
