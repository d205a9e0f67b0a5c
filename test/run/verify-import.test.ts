import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { DiagnosticError } from '../../src/base/diagnostics/index.js';
import { driver } from '../../src/commands/index.js';
import { Findings } from '../../src/workspace/findings.js';
import { importFile } from '../../src/workspace/target.js';
import { verifyImport, verifyWhereWanted } from '../../src/run/verify-import.js';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tinyQuantised } from '../support/tiny-onnx.js';

function written(bytes: Uint8Array): string {
  const path = join(temporaryFolder(), 'net.onnx');
  writeFileSync(path, bytes);
  return path;
}

/** A float network of one fully connected layer n → n. */
function dense(n: number): Uint8Array {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', n]);
  b.output(b.node('Gemm', ['x', b.floats('w', [n, n], new Float32Array(n * n).fill(0.01))], { transB: 1 }));
  return b.bytes();
}

it('an import equal to its file passes', async () => {
  const source = importFile(written(tinyQuantised()), new Findings());
  await expect(verifyImport(source)).resolves.toEqual({ compared: 6, layers: 6 });
});

it('an import with one other weight is refused, naming the layer', async () => {
  const source = importFile(written(tinyQuantised()), new Findings());
  const { network } = source.imported;
  const conv = network.ops.find((op) => op.kind === 'conv');
  const name = conv?.params['weight'] ?? '';
  const weight = network.params.get(name);
  if (weight === undefined) throw new Error('the tiny network has a convolution');
  const data = weight.tensor.data.slice() as Int8Array<ArrayBuffer>;
  data[4] = -(data[4] as number) - 20;
  const params = new Map([...network.params, [name, { ...weight, tensor: { ...weight.tensor, data } }]]);
  const tampered = { ...source, imported: { ...source.imported, network: { ...network, params } } };
  const error: unknown = await verifyImport(tampered).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DiagnosticError);
  const [problem] = (error as DiagnosticError).diagnostics;
  expect(problem?.code).toBe('convert/import-mismatch');
  expect(problem?.message).toContain(conv?.id);
});

it('a network that overflows is no mismatch: the first layer without finite values is named', async () => {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 4]);
  const large = b.node('Gemm', ['x', b.floats('w', [4, 4], new Float32Array(16).fill(3e38))], { transB: 1 });
  const mixed = Float32Array.from({ length: 16 }, (_, i) => (i % 2 === 0 ? 1 : -1));
  b.output(b.node('Gemm', [b.node('Relu', [large]), b.floats('v', [4, 4], mixed)], { transB: 1 }));
  const source = importFile(written(b.bytes()), new Findings());
  const error: unknown = await verifyImport(source).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(DiagnosticError);
  const [problem] = (error as DiagnosticError).diagnostics;
  expect(problem).toMatchObject({ code: 'convert/not-finite', place: { file: source.path } });
  expect(problem?.message).toMatch(/^%Gemm.* gives -?Infinity, in the file as in the imported network$/);
  expect(problem?.help).toContain('too large or not finite');
});

it('a float network has no codes to convert', async () => {
  const path = written(dense(4));
  const { diagnostics } = await driver.convertOnnx(path, { coding: 'sws', outDir: join(path, '..', 'out') });
  expect(diagnostics.map((d) => d.code)).toEqual(['convert/float-network']);
});

it('a large import is compared only where that is asked for, and says so', async () => {
  const path = written(dense(2900));
  const options = { coding: 'sws', outDir: join(path, '..', 'out') } as const;
  const codes = async (verify?: boolean): Promise<string[]> => {
    const wanted = verify === undefined ? {} : { verify };
    return (await driver.convertOnnx(path, { ...options, ...wanted })).diagnostics.map((d) => d.code);
  };
  expect(await codes()).toEqual(['convert/import-not-verified', 'convert/float-network']);
  expect(await codes(false)).toEqual(['convert/float-network']);
});

it('of very many layers a sample is compared, the last among them, and a note says of how many', async () => {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 4]);
  let value = 'x';
  for (let i = 0; i < 2100; i++) value = b.node('Relu', [value]);
  b.output(value);
  const findings = new Findings();
  const source = importFile(written(b.bytes()), findings);
  const { compared, layers } = await verifyImport(source);
  expect(layers).toBeGreaterThanOrEqual(2100);
  expect(compared).toBeLessThan(layers);
  expect(compared).toBeGreaterThan(1000);
  await verifyWhereWanted(source, { verify: true }, findings);
  expect(findings.all.map(({ code }) => code)).toEqual(['convert/import-sampled']);
});

it('what onnxruntime can’t run is written out in ONNX’s operators, and the comparison says so', async () => {
  const file = (rounding: string): string => {
    const b = new OnnxBuilder(13, { 'qonnx.custom_op.general': 1 });
    b.input('x', ['N', 4]);
    const params = [b.scalar('s', 'float', 0.5), b.scalar('z', 'float', 0), b.scalar('n', 'float', 4)];
    const attributes = { signed: 1, narrow: 0, rounding_mode: rounding };
    b.output(b.node('Quant', ['x', ...params], attributes, { domain: 'qonnx.custom_op.general' }));
    return written(b.bytes());
  };
  const findings = new Findings();
  const source = importFile(file('FLOOR'), findings);
  await verifyWhereWanted(source, {}, findings);
  expect(findings.all.map(({ code, message }) => `${code}: ${message}`)).toEqual([
    'convert/reference: onnxruntime doesn’t have qonnx.custom_op.general.Quant: the reference is the file with them written out in ONNX’s own operators',
  ]);
  // the comparison is one: a file that rounds otherwise isn't this network
  const other = importFile(file('CEIL'), findings);
  await expect(verifyImport({ ...source, bytes: other.bytes })).rejects.toMatchObject({
    diagnostics: [{ code: 'convert/import-mismatch' }],
  });
});

it('a file that takes integers is compared on integers', async () => {
  const b = new OnnxBuilder(13);
  b.input('x', ['N', 4], 'uint8');
  const x = b.node('DequantizeLinear', ['x', b.scalar('s', 'float', 0.1), b.scalar('z', 'uint8', 7)]);
  b.output(b.node('Gemm', [x, b.floats('w', [2, 4], [1, 2, 3, 4, -1, -2, -3, -4])], { transB: 1 }));
  const findings = new Findings();
  const source = importFile(written(b.bytes()), findings);
  await verifyWhereWanted(source, {}, findings);
  expect(findings.all).toEqual([]);
});
