import { define } from './define.js';

export const modelGraphDiagnostics = {
  'model/shape-mismatch': define<{ op: string; left: string; right: string; why: string }>(
    'error',
    ({ op, left, right, why }) => `\`${op}\` joins shapes ${left} and ${right}, which don't fit: ${why}`,
    `Both sides of an addition need the same shape; a concatenation needs all sizes alike but the first; a matrix product the
same number of columns on the left as of rows on the right. The message names the sizes and points at the ops where the two shapes
come from. Usually a stride or a number of channels differs on one path, or a pool rounded an odd size down that an upsampling can't give back.`,
  ),
  'model/shape': define<{ op: string; needs: string; found: string }>(
    'error',
    ({ op, needs, found }) => `\`${op}\` needs ${needs}, but gets ${found}`,
    `A layer can't work on the shape that reaches it. Shapes are [channels, height, width] or [features], without the
batch and without time.`,
  ),
  'model/recursion': define<{ name: string; path: string }>(
    'error',
    ({ name, path }) => `the block \`${name}\` contains itself: ${path}`,
    `Blocks are expanded where they are used, so a block that uses itself, directly or through others, would never end.
Use \`repeat(n)\` for a row of equal blocks.`,
  ),
  'model/cycle-shape': define<{ name: string }>(
    'error',
    ({ name }) => `the shape of \`${name}\` doesn’t follow from what it is made of besides itself`,
    `A connection back (\`h | delay(1) | …\`) reads a value before it is made, so its shape must follow from the rest: from a
\`linear(n)\` that the cycle passes, or from a value that is added to it. Where both say something, they must say the same.`,
  ),
  'model/too-big': define<{ limit: number }>(
    'error',
    ({ limit }) => `the network expands to more than ${limit} layers and blocks`,
    `Blocks and \`repeat\` are expanded into single layers. The limit keeps a slip such as \`repeat(1e9)\` from filling the
memory.`,
  ),
  'model/too-deep': define<{ limit: number }>(
    'error',
    ({ limit }) => `blocks stand in each other more than ${limit} deep here`,
    `A block that uses a block that uses a block … is expanded level by level. Real networks need a handful of levels; the
limit keeps broken input from exhausting the stack.`,
  ),
  'model/graph-form': define<{ problem: string }>(
    'error',
    ({ problem }) => problem,
    `A network has one or more \`input NAME: real[…]\` with its shape and exactly one \`output\`. A block has one or more
\`input NAME\` and exactly one \`output\`.`,
  ),
  'model/not-a-value': define<{ what: string }>(
    'error',
    ({ what }) => `${what} isn't something that flows through layers`,
    `The left side of \`|\` and the inputs of a layer must be values of the network: an \`input\`, or the result of other
layers.`,
  ),
  'model/inputs': define<{ callee: string; takes: string; found: number }>(
    'error',
    ({ callee, takes, found }) => `\`${callee}\` takes ${takes}, but gets ${found}`,
    `A layer's inputs are the value before \`|\` and the values of the network among its first arguments:
\`concat(a, b)\` has two, \`x | conv(32)\` one.`,
  ),
  'model/unused': define<{ name: string }>(
    'warning',
    ({ name }) => `\`${name}\` is never used`,
    `The value takes part in nothing that reaches the output, so its layers would be dropped. Remove the line or use it.`,
  ),
  'model/unused-parameter': define<{ name: string }>(
    'warning',
    ({ name }) => `the parameter \`${name}\` is never used`,
    `Giving the parameter would change nothing. Remove it or use it.`,
  ),
} as const;
