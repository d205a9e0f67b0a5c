import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { paramOf, realValues } from '../../src/network/index.js';
import { OnnxBuilder } from '../../src/testing/onnx-builder.js';
import { Findings } from '../../src/workspace/findings.js';
import { importedForTraining } from '../../src/workspace/imported-training.js';
import { openTarget } from '../../src/workspace/open.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tinyFloat, tinyImages, tinyQuantised } from '../support/tiny-onnx.js';
import { timeless, train } from '../support/tiny-training.js';
import { configFrom } from '../support/train.js';

const model = ({
  coding = 'direct(steps: 3) { layer "*" { range 2 } }',
  train: said = '',
  more = '',
  rate = '1e-2',
} = {}) => `
use "spikec/neurons" { IF }
config tuned {
  network onnx("net.onnx")
  neuron  IF(start: 0.5)
  coding  ${coding}
  ${more}
  train { optimizer adam(lr: ${rate})  batch 20  epochs 6  ${said} }
}`;

/** A folder with an ONNX network, 40 images of 6×6 and a model file. */
function project(bytes: Uint8Array, text = model()) {
  const folder = temporaryFolder();
  const { images, labels } = tinyImages(40);
  writeFileSync(join(folder, 'net.onnx'), bytes);
  writeFileSync(join(folder, 'images'), images);
  writeFileSync(join(folder, 'labels'), labels);
  writeFileSync(join(folder, 'model.spike'), text);
  const data = `idx:${join(folder, 'images')},${join(folder, 'labels')}`;
  return { folder, data, model: join(folder, 'model.spike') };
}

it.each([
  { name: 'a float network', bytes: tinyFloat(), settings: {} },
  { name: 'a quantised one', bytes: tinyQuantised(), settings: { coding: 'direct(steps: 3)', rate: '1e-3' } },
])('$name is trained as the spiking network that it is converted to', async ({ bytes, settings }) => {
  const place = project(bytes, model(settings));
  const { records, run, codes } = await train(place);
  expect(codes).toEqual([]);
  expect(records.at(-1)!.loss).toBeLessThan(0.7 * records[0]!.loss);
  // the run folder holds all that it was made from, and is a target like others
  expect(readFileSync(join(run, 'net.onnx'))).toEqual(Buffer.from(bytes));
  expect((await driver.checkFile({ path: join(run, 'model.spike') }, {})).diagnostics).toEqual([]);
  const [before, after] = [{ path: place.model }, { path: run }].map((target) => {
    const { network } = openTarget(target, {}, new Findings()).compiled();
    return network;
  });
  expect(after!.ops.map(({ id, kind }) => `${id} ${kind}`)).toEqual(before!.ops.map(({ id, kind }) => `${id} ${kind}`));
});

it('training begins with the conversion’s weights, as 32-bit reals called by their layers', () => {
  const place = project(tinyQuantised(), model({ coding: 'direct(steps: 3)' }));
  const config = configFrom(readFileSync(place.model, 'utf8'));
  const found = importedForTraining(
    { ...config, network: { ...config.network, resolved: join(place.folder, 'net.onnx') } as typeof config.network },
    place.model,
    new Findings(),
  );
  const converted = openTarget({ path: place.model }, {}, new Findings()).compiled().network;
  const roles = found.network.ops.flatMap((op) =>
    Object.entries(op.params).map(([role, name]) => ({ op, role, name })),
  );
  expect(roles.map(({ name }) => name)).toEqual(roles.map(({ op, role }) => `${op.id}.${role}`));
  for (const { op, role, name } of roles) {
    const there = converted.ops.find(({ id }) => id === op.id)!.params[role]!;
    const mine = found.network.params.get(name)!;
    expect(mine.quant).toBeUndefined();
    expect(mine.tensor.data).toEqual(Float32Array.from(realValues(converted.params.get(there)!)));
  }
});

it('a stopped training goes on from its run folder to the same numbers', async () => {
  const place = project(tinyFloat());
  const whole = await train(place, { epochs: 2, run: join(place.folder, 'whole') });
  let epochs = 0;
  await train(place, { epochs: 2, onEpoch: () => epochs++, stopping: () => epochs > 0 });
  const resumed = await train(place, { epochs: 2, resume: true });
  expect(timeless(resumed.records)).toEqual(timeless(whole.records.slice(1)));
});

it('the PyTorch folder of such a config has its training, and the ONNX file', async () => {
  const place = project(tinyFloat(), model({ train: 'data mnist' }));
  const outDir = join(place.folder, 'torch');
  const { diagnostics } = await driver.compileTarget({ path: place.model }, { emit: ['torch'], outDir });
  expect(diagnostics).toEqual([]);
  expect(readdirSync(outDir)).toEqual(expect.arrayContaining(['train.py', 'training.json', 'model.py']));
  expect(readdirSync(join(outDir, 'spikec', 'sources')).sort()).toEqual(['model.spike', 'net.onnx']);
});

/** A row of 36 numbers, 3 neurons, and so many outputs of 3 numbers each. */
function rowNetwork(outputs: number): Uint8Array {
  const b = new OnnxBuilder(13);
  b.input('image', ['N', 36]);
  const weight = b.floats(
    'w',
    [3, 36],
    Array.from({ length: 108 }, (_, i) => Math.sin(i)),
  );
  const hidden = b.node('Relu', [b.node('Gemm', ['image', weight], { transB: 1 })]);
  for (let i = 0; i < outputs; i++)
    b.output(b.node('Gemm', [hidden, b.floats(`v${i}`, [3, 3], [1, 0, 0, 0, 1, 0, 0, 0, 1])], { transB: 1 }));
  return Uint8Array.from(b.bytes());
}

it('what can’t be trained is refused with what would do', async () => {
  const checked = async (text: string) =>
    (await driver.checkFile({ path: project(tinyFloat(), text).model }, {})).diagnostics.map(({ code, message }) => [
      code,
      message,
    ]);
  const own = model().replace('  neuron  IF(start: 0.5)\n', '');
  expect(await checked(own.replace(/direct\(.*/, 'sws(steps: 8)'))).toEqual([
    ['cli/not-lowered', expect.stringContaining('`train` of an ONNX network with `coding sws`')],
  ]);
  expect(await checked(model({ more: 'bits { weights 4 }' }))).toEqual([
    ['model/conflict', expect.stringContaining('`bits` round the weights')],
  ]);
  const several = project(rowNetwork(2));
  expect((await train(several)).diagnostics.map(({ message, help }) => [message, help])).toEqual([
    [expect.stringContaining('the ONNX network has 2'), expect.stringContaining('output: "')],
  ]);
  // what the file alone says is known once it is read
  const flat = project(rowNetwork(1), model({ train: 'augment [flip]' }));
  expect((await driver.checkFile({ path: flat.model }, {})).diagnostics).toEqual([]);
  expect((await train(flat)).codes).toEqual(['model/conflict']);
});

it('layers of the conversion are frozen by their ids', async () => {
  const place = project(tinyQuantised(), model({ coding: 'direct(steps: 3)', train: 'freeze ["Conv*"]' }));
  expect((await driver.checkFile({ path: place.model }, {})).diagnostics).toEqual([]);
  const { run, diagnostics } = await train(place, { epochs: 1 });
  expect(diagnostics).toEqual([]);
  const [before, after] = [place.model, run].map((path) => {
    const { network } = openTarget({ path }, {}, new Findings()).compiled();
    const values = (kind: string) =>
      realValues(
        paramOf(
          network,
          network.ops.find((op) => op.kind === kind)!,
          'weight',
        ),
      );
    return { conv: Float32Array.from(values('conv')), linear: Float32Array.from(values('linear')) };
  });
  expect(after!.conv).toEqual(before!.conv);
  expect(after!.linear).not.toEqual(before!.linear);
});
