import { expect, it } from 'vitest';
import { type Tensor, tensor } from '../../src/base/dtype.js';
import { fusedEngine } from '../../src/engines/fused/index.js';
import { openInParts, partBytes } from '../../src/engines/index.js';
import { type Program, ProgramBuilder, evaluate, programParts, verify } from '../../src/tensor/index.js';
import { feedsFor, random } from './cases.js';
import { recurrentLoop } from './loops.js';

/** Linear layers one after the other, with values that skip some of them, and outputs on the way. */
function chain(widths: readonly number[]): Program {
  const b = new ProgramBuilder('chain');
  const next = random(4);
  const x = b.input('x', 'f32', [{ batch: 1 }, widths[0]!]);
  let value = x;
  widths.slice(1).forEach((width, i) => {
    const from = widths[i]!;
    const weight = b.param(
      `w${i}`,
      tensor(
        'f32',
        [width, from],
        Float32Array.from({ length: width * from }, () => next() - 0.5),
      ),
    );
    const skipped = value;
    value = b.matmul(value, weight, { transB: true });
    if (from === width) value = b.add(value, skipped);
    b.output(`layer ${i}`, b.max(value, 0));
  });
  b.output('0', b.add(value, b.sumAll(x)));
  return b.build();
}

/** Runs parts one after the other, each by itself. */
function inParts(program: Program, mostBytes: number, feeds: Readonly<Record<string, Tensor>>): Record<string, Tensor> {
  const values = new Map(Object.entries(feeds));
  const outputs: Record<string, Tensor> = {};
  for (const { program: part, kept, last } of programParts(program, mostBytes)) {
    expect(verify(part)).toEqual([]);
    const results = evaluate(part, Object.fromEntries(part.inputs.map(({ id }) => [id, values.get(id)!])));
    for (const [name, value] of Object.entries(results)) {
      if (name in kept) values.set(kept[name]!, value);
      else outputs[name] = value;
    }
    for (const id of last) values.delete(id);
  }
  return outputs;
}

const bytesOf = ({ params }: Program): number => params.reduce((sum, { data }) => sum + data.data.byteLength, 0);

it('a program in parts gives what it gives whole, whatever their size', () => {
  const program = chain([6, 8, 8, 8, 5, 9, 9, 3]);
  const feeds = feedsFor(program, 3, 2);
  const whole = evaluate(program, feeds);
  for (const bytes of [1, 100, 256, 400, 1000, 1e6]) {
    const found = inParts(program, bytes, feeds);
    expect(Object.keys(found).sort()).toEqual(Object.keys(whole).sort());
    for (const [name, { data }] of Object.entries(whole)) expect([name, ...found[name]!.data]).toEqual([name, ...data]);
  }
});

it('a part has no more params than fit, those of wide matrices in blocks of rows', () => {
  const program = chain([6, 8, 8, 300, 5, 9]);
  const parts = programParts(program, 600);
  expect(parts.length).toBeGreaterThan(10);
  for (const part of parts) expect(bytesOf(part.program)).toBeLessThanOrEqual(1200);
  expect(parts.reduce((sum, part) => sum + bytesOf(part.program), 0)).toBe(bytesOf(program));
  expect(programParts(program, 1e6)).toHaveLength(1);
});

it('values are kept as long as a later part reads them, and no longer', () => {
  const parts = programParts(chain([8, 8, 8, 8, 8]), 256);
  const alive = new Set<string>();
  for (const { program, kept, last } of parts) {
    for (const { id } of program.inputs) if (id !== 'x') expect(alive).toContain(id);
    for (const id of last) expect(alive.delete(id)).toBe(true);
    for (const id of Object.values(kept)) alive.add(id);
  }
  expect([...alive]).toEqual([]);
});

it('no part ends between a loop and what is read of its results', () => {
  const loop = recurrentLoop({ steps: 3 });
  const { x, ...weights } = feedsFor(loop, 2, 5, 1);
  const feeds = { x: x! };
  const program: Program = {
    ...loop,
    inputs: loop.inputs.filter(({ id }) => id === 'x'),
    params: Object.entries(weights).map(([id, data]) => ({ id, dtype: data.dtype, shape: data.shape, data })),
  };
  const parts = programParts(program, 1);
  expect(parts.length).toBeGreaterThan(2);
  for (const { ops } of parts.map((part) => part.program)) {
    const own = new Set(ops.map(({ id }) => id));
    for (const op of ops) if (op.kind === 'scan_output') expect(own).toContain(op.inputs[0]);
  }
  const whole = evaluate(program, feeds);
  const found = inParts(program, 1, feeds);
  for (const [name, { data }] of Object.entries(whole)) expect([name, ...found[name]!.data]).toEqual([name, ...data]);
});

it('an engine that opens a large program in parts gives what it gives whole', async () => {
  const width = Math.ceil(Math.sqrt(partBytes / 4)) + 10;
  const program = chain([4, width, width, 3]);
  const feeds = feedsFor(program, 2, 6);
  const whole = await fusedEngine.open(program, { threads: 1 });
  const expected = await whole.step(feeds);
  await whole.dispose();
  const parted = await openInParts(program, fusedEngine, { threads: 1 });
  const found = await parted.step(feeds);
  await parted.dispose();
  expect(Object.keys(found).sort()).toEqual(Object.keys(expected).sort());
  for (const [name, { data }] of Object.entries(expected)) {
    data.forEach((v, i) => expect(Math.abs(found[name]!.data[i]! - v)).toBeLessThan(1e-3 * Math.max(1, Math.abs(v))));
  }
});
