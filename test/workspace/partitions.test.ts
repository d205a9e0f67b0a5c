import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, it } from 'vitest';
import type { Diagnostic } from '../../src/base/diagnostics/index.js';
import { withPartitions } from '../../src/frontends/onnx/index.js';
import { evaluateAnn } from '../../src/testing/ann-evaluate.js';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';
import { Findings } from '../../src/workspace/findings.js';
import { importFile } from '../../src/workspace/target.js';
import { expectDiagnostic } from '../support/expect-diagnostic.js';
import { temporaryFolder } from '../support/temporary-folder.js';

const finn = { domain: 'finn.custom_op.fpgadataflow' };
const domains = { 'finn.custom_op.fpgadataflow': 1 };
const x = [0.3, -1.2, 0.9, 2.1];

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

/** One layer, its names the same in every file. */
function layer(b: OnnxBuilder, from: string, weights: readonly number[], output: string): string {
  const weight = b.floats('w', [4, 4], weights);
  const sum = b.node('MatMul', [b.fakeQuant(from, 0.25, 8, 'uint8'), weight], {}, { name: 'product' });
  return b.node('Relu', [sum], {}, { name: 'last', output });
}

const first = Array.from({ length: 16 }, (_, i) => ((i * 7) % 5) - 2);
const second = Array.from({ length: 16 }, (_, i) => ((i * 3) % 7) - 3);

function child(weights: readonly number[], opset = 13): Uint8Array {
  const b = new OnnxBuilder(opset, domains);
  const from = b.input('in', [1, 4]);
  return b.output(layer(b, from, weights, 'out'), [1, 4]).bytes();
}

/** A graph of partitions one after the other, by the paths that their nodes say. */
function parent(models: readonly string[]): Uint8Array {
  const b = new OnnxBuilder(13, domains);
  let value = b.input('in', [1, 4]);
  for (const model of models) value = b.node('StreamingDataflowPartition', [value], { model }, finn);
  return b.output(value, [1, 4]).bytes();
}

function write(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

function output(path: string): number[] {
  const { network } = importFile(path, new Findings()).imported;
  return [...evaluateAnn(network, Float64Array.from(x)).get(network.outputs[0]!)!];
}

/** What the two layers compute, by hand. */
function expected(): number[] {
  const quantised = (v: number): number => {
    const code = v / 0.25;
    const even = Math.abs(code % 1) === 0.5 ? 2 * Math.round(code / 2) : Math.round(code);
    return Math.min(Math.max(even, -8), 247) * 0.25;
  };
  const applied = (values: readonly number[], weights: readonly number[]): number[] =>
    [0, 1, 2, 3].map((o) =>
      Math.max(
        0,
        values.reduce((sum, v, i) => sum + quantised(v) * weights[i * 4 + o]!, 0),
      ),
    );
  return applied(applied(x, first), second);
}

it('a parent is read with the layers of its partitions, which lie beside it or in a folder there, wherever they were built', () => {
  mkdirSync(join(folder, 'kernel_partitions'));
  write('partition_0.onnx', child(first));
  write('kernel_partitions/partition_1.onnx', child(second));
  const models = ['/home/someone/build/partition_0.onnx', 'C:\\build\\kernel_partitions\\partition_1.onnx'];
  const path = write('net.onnx', parent(models));
  expect(expected().some((v) => v > 0)).toBe(true);
  expect(output(path)).toEqual(expected());
  const source = importFile(path, new Findings());
  expect(source.external.size).toBe(0);
  // what is read is one file that needs no other
  const alone = join(folder, 'alone');
  mkdirSync(alone);
  writeFileSync(join(alone, 'net.onnx'), source.bytes);
  expect(output(join(alone, 'net.onnx'))).toEqual(expected());
});

it('a partition may have partitions', () => {
  write('leaf.onnx', child(second));
  const b = new OnnxBuilder(13, domains);
  const value = layer(b, b.input('in', [1, 4]), first, 'middle');
  b.output(b.node('GenericPartition', [value], { model: 'leaf.onnx' }, { domain: 'qonnx.custom_op.general' }), [1, 4]);
  write('inner.onnx', b.bytes());
  expect(output(write('net.onnx', parent(['inner.onnx'])))).toEqual(expected());
});

it('of a partition that hands on what it reads, or the same twice, nothing is lost', () => {
  const b = new OnnxBuilder(13, domains);
  const from = b.input('in', [1, 4]);
  const sums = layer(b, from, first, 'sums');
  write('part.onnx', b.output(sums, [1, 4]).output(sums, [1, 4]).output(from, [1, 4]).bytes());
  const whole = new OnnxBuilder(13, domains);
  whole.input('in', [1, 4]);
  whole.nodes('StreamingDataflowPartition', ['in'], ['a', 'b', 'c'], { model: 'part.onnx' }, finn);
  whole.output(whole.node('Add', [whole.node('Sub', ['a', 'b']), 'c']), [1, 4]);
  expect(output(write('net.onnx', whole.bytes()))).toEqual(x);
});

function problem(path: string): Diagnostic {
  return expectDiagnostic('onnx/partition', () => importFile(path, new Findings()));
}

it('a part that isn’t in the folder is refused with its name, also behind a link or "..", and so is what is no network', () => {
  expect(problem(write('net.onnx', parent(['/build/partition_7.onnx']))).message).toBe(
    'the layers of the partition "StreamingDataflowPartition_0" lie in "/build/partition_7.onnx", which isn\'t read: no "partition_7.onnx" is in the folder of the file',
  );
  const outside = temporaryFolder();
  writeFileSync(join(outside, 'secret.onnx'), child(first));
  const up = write('up.onnx', parent([`../${outside.split('/').at(-1)!}/secret.onnx`]));
  expect(problem(up).message).toContain('no "secret.onnx" is in the folder');
  symlinkSync(join(outside, 'secret.onnx'), join(folder, 'linked.onnx'));
  expectDiagnostic('onnx/external-path', () => importFile(write('link.onnx', parent(['linked.onnx'])), new Findings()));
  write('text.onnx', new TextEncoder().encode('no network at all'));
  expect(problem(write('odd.onnx', parent(['text.onnx']))).message).toContain('it is no ONNX file');
  expect(problem(write('none.onnx', parent(['']))).message).toContain('the node names none');
});

it('a part that stands for itself, for two nodes, has other ends or another version is refused', () => {
  expect(problem(write('loop.onnx', parent(['loop.onnx']))).message).toContain('another node stands for it already');
  write('part.onnx', child(first));
  const twice = problem(write('twice.onnx', parent(['part.onnx', './part.onnx'])));
  expect(twice.message).toContain('another node stands for it already');
  write('old.onnx', child(first, 12));
  const old = problem(write('net.onnx', parent(['old.onnx']))).message;
  expect(old).toContain('it is written in version 12 of the operators "", the parent in 13');
  const b = new OnnxBuilder(13, domains);
  b.input('in', [1, 4]);
  b.nodes('StreamingDataflowPartition', ['in'], ['a', 'b'], { model: 'part.onnx' }, finn);
  const ends = problem(write('ends.onnx', b.output('a', [1, 4]).bytes()));
  expect(ends.message).toContain('it has 1 inputs and 1 outputs, the node 1 and 2');
});

it('a file without partitions is left as it is', () => {
  expect(withPartitions('net.onnx', child(first), () => undefined)).toBeUndefined();
});
