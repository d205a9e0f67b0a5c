import { type Tensor, longNames } from '../../base/dtype.js';
import { type Runnable, outputNames } from '../../lower/program/index.js';
import type { Network } from '../../network/index.js';
import { attrsOf, simplify } from '../../tensor/index.js';
import { type Expression, atom } from './expression.js';
import { Names, comment, indented, quote, tuple } from './python.js';
import { Statements } from './statements.js';

/** A network's program of inference as `model.py`, with the tensors that it reads. */
export interface LoweredModel {
  readonly text: string;
  /** The state dict. */
  readonly weights: ReadonlyMap<string, Tensor>;
}

/** A network of any coding, written op by op as it is lowered: to infer, not to train. */
export function loweredModel(network: Network, { program: whole, feeds, steps }: Runnable): LoweredModel {
  const program = simplify(whole, { differentiated: true });
  const names = new Names(['Network', 'INPUT_SHAPE', 'STEPS']);
  const helpers = new Set<string>();
  const weights = new Map<string, Tensor>();
  const buffer = (hint: string, values: Tensor): string => {
    const name = names.fresh(hint);
    weights.set(name, values);
    return `self.${name}`;
  };
  const given = new Map<string, Expression>();
  for (const { id, data, dtype } of program.params)
    given.set(id, atom(buffer(id.replace(/:f(32|64)$/, ''), data), dtype === 'bool' ? 'hard' : 'number'));
  const image = names.fresh(feeds.image.id);
  const frames = feeds.image.steps > 1;
  given.set(feeds.image.id, atom(image));
  const randoms = feeds.randoms.map(({ id }) => ({ id, variable: names.fresh(id) }));
  for (const { id, variable } of randoms) given.set(id, atom(variable));
  const statements = new Statements(program, {
    names,
    given,
    helpers,
    constant: (op) => buffer(op.id, attrsOf(op, 'const').value),
    batch: () => 'n',
    like: () => image,
  });
  const outputs = network.outputs.map((_, i) => statements.output(outputNames.output(i)).code);
  if (frames) helpers.add('frames_first');
  const shape = frames ? [feeds.image.steps, ...feeds.image.shape] : feeds.image.shape;
  const result = outputs.length === 1 ? 'Tensor' : `tuple[${outputs.map(() => 'Tensor').join(', ')}]`;
  const noise = randoms.length === 0 ? '' : ', noise: Mapping[str, Tensor]';
  const lines = [
    `def forward(self, ${image}: Tensor${noise}) -> ${result}:`,
    ...indented([
      `"""What is read out of ${image} [N, ${shape.join(', ')}]${randoms.length === 0 ? '' : '; noise: uniform numbers by name'}."""`,
      ...(frames ? [`n = ${image}.shape[0]`, `${image} = frames_first(${image})`] : [`n = ${image}.shape[0]`]),
      ...randoms.map(({ id, variable }) => `${variable} = noise[${quote(id)}]`),
      ...statements.lines,
      `return ${outputs.join(', ')}`,
    ]),
  ].filter(
    (line, i, all) =>
      !/^ *n = /.test(line) || all.some((other, j) => j !== i && /\bn\b/.test(other.replace(/"""[^"]*"""/, ''))),
  );
  const registered = [...weights].map(([name, { shape: size, dtype }]) => {
    const type = dtype === 'f32' ? '' : `, dtype=torch.${longNames[dtype]}`;
    const zeros = tuple(size);
    return `self.register_buffer(${quote(name)}, torch.zeros(${zeros}${type}))`;
  });
  const declared = [...weights.keys()].map((name) => `${name}: Tensor`);
  const uses = [...statements.lines, ...outputs].join('\n');
  const imports = [
    ...(/\bmath\./.test(uses) ? ['import math'] : []),
    ...(randoms.length > 0 ? ['from collections.abc import Mapping'] : []),
  ];
  const text = `${[
    `"""${comment(network.name)}: a network in PyTorch, op by op as spikec lowers it, to infer."""`,
    '',
    'from __future__ import annotations',
    '',
    ...(imports.length === 0 ? [] : [...imports, '']),
    'import torch',
    `from torch import Tensor, nn`,
    ...(/\bfunctional\./.test(uses) ? ['from torch.nn import functional'] : []),
    '',
    ...(helpers.size === 0 ? [] : [`from layers import ${[...helpers].sort().join(', ')}`, '']),
    '# Time steps, and the shape of an input without its batch axis.',
    `STEPS = ${steps}`,
    `INPUT_SHAPE = ${tuple(shape)}`,
    '',
    '',
    'class Network(nn.Module):',
    ...indented([
      `"""${comment(network.name)}${network.coding === undefined ? '' : `, coding ${comment(network.coding.name)}`}."""`,
      '',
      ...(declared.length === 0 ? [] : [...declared, '']),
      'def __init__(self) -> None:',
      '    super().__init__()',
      ...indented(registered),
      '',
      ...lines,
    ]),
  ].join('\n')}\n`;
  return { text, weights };
}
