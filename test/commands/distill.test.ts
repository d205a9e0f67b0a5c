import { copyFileSync, mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { timeless, train, writeTinySet } from '../support/tiny-training.js';

/** An ANN that is trained and written as `teacher.onnx`, and a spiking network beside it. */
async function classroom(loss: string, { outputs = 3, side = 8, seed = 1 } = {}) {
  const folder = temporaryFolder();
  const data = writeTinySet(folder);
  const ann = join(folder, 'ann.spike');
  writeFileSync(
    ann,
    `network Ann { input image: real[1, ${side}, ${side}]  output image | flatten | linear(3) }
     config ann { network Ann  train { data mnist  optimizer adam(lr: 1e-2)  batch 8  epochs 12  seed ${seed} } }`,
  );
  // of other samples it needs to know nothing
  const taught = side === 8 ? await train({ model: ann, data, folder }, { run: join(folder, 'ann') }) : { run: ann };
  const compiled = join(folder, 'compiled');
  await driver.compileTarget({ path: taught.run }, { emit: ['onnx'], outDir: compiled });
  renameSync(join(compiled, 'infer.onnx'), join(folder, 'teacher.onnx'));
  const model = join(folder, 'snn.spike');
  writeFileSync(
    model,
    `use "spikec/neurons" { LIF }
     network Snn { input image: real[1, 8, 8]  output image | flatten | linear(16) | batchnorm | spike | linear(${outputs}) }
     config snn { network Snn  neuron LIF  coding direct(2)
       train { data mnist  loss ${loss}  optimizer adam(lr: 1e-2)  batch 8  epochs 6  seed 3 } }`,
  );
  return { model, data, folder };
}

it('an ANN teaches its SNN without labels, and a resumed training goes on as an unbroken one', async () => {
  const place = await classroom('distill("teacher.onnx", temperature: 2)');
  const whole = await train(place, { run: join(place.folder, 'whole') });
  expect(whole.codes).toEqual([]);
  expect(whole.records.at(-1)!.accuracy).toBeGreaterThan(0.9);
  expect(whole.records.at(-1)!.loss).toBeLessThan(whole.records[0]!.loss / 3);
  await train(place, {
    onEpoch: ({ epoch }) => {
      if (epoch === 2) throw new Error('interrupted');
    },
  }).catch((error: unknown) => expect(String(error)).toContain('interrupted'));
  const rest = await train(place, { resume: true });
  expect(timeless(rest.records)).toEqual(timeless(whole.records.slice(2)));
});

it('another teacher’s file is another training', async () => {
  const place = await classroom('cross_entropy + 0.5 * distill("teacher.onnx")');
  await train(place, { epochs: 1 });
  const same = await train(place, { resume: true, epochs: 2 });
  expect(same.codes).toEqual([]);
  const other = await classroom('cross_entropy', { seed: 2 });
  copyFileSync(join(other.folder, 'teacher.onnx'), join(place.folder, 'teacher.onnx'));
  const { diagnostics } = await train(place, { resume: true, epochs: 3 });
  expect(diagnostics[0]).toMatchObject({ code: 'train/other-training' });
  expect(diagnostics[0]!.message).toMatch(/teacher is/);
});

const alone = 'distill("teacher.onnx")';
it.each([
  ['a file that isn’t there', 'cross_entropy + distill("none.onnx")', {}, 'file/missing', /none\.onnx/],
  ['a path above', 'cross_entropy + distill("../teacher.onnx")', {}, 'train/teacher', /outside/],
  ['a path from the root', 'distill("/dev/zero")', {}, 'train/teacher', /outside/],
  ['a link that leads out', 'distill("link.onnx")', {}, 'train/teacher', /outside/],
  ['a folder', 'distill("folder.onnx")', {}, 'file/is-directory', /./],
  ['another file', 'distill("snn.spike")', {}, 'engine/refused', /snn\.spike/],
  ['other outputs', alone, { outputs: 4 }, 'train/teacher', /gives \[1, 3\].*the network has 4 outputs/],
  ['other samples', alone, { side: 4 }, 'train/teacher', /takes samples \[1, 4, 4\], and the network \[1, 8, 8\]/],
  ['two teachers', `${alone} + ${alone}`, {}, 'model/conflict', /more than one/],
  ['a temperature of 0', 'distill("teacher.onnx", temperature: 0)', {}, 'model/argument-type', /temperature/],
] as const)('%s is refused', async (_, loss, network, code, message) => {
  const { data, folder } = await classroom(loss, network);
  const inner = join(folder, 'inner');
  mkdirSync(inner);
  for (const name of ['snn.spike', 'teacher.onnx'])
    if (!loss.includes('..') || name !== 'teacher.onnx') copyFileSync(join(folder, name), join(inner, name));
  mkdirSync(join(inner, 'folder.onnx'));
  symlinkSync(join(folder, 'teacher.onnx'), join(inner, 'link.onnx'));
  const { diagnostics, value } = await train({ model: join(inner, 'snn.spike'), data, folder });
  expect(value).toBeUndefined();
  expect(diagnostics[0]!.code).toBe(code);
  expect(diagnostics[0]!.message).toMatch(message);
});

it('PyTorch’s train.py is left out by name where there is a teacher', async () => {
  const { model, folder } = await classroom('distill("teacher.onnx")');
  const { diagnostics } = await driver.compileTarget({ path: model }, { emit: ['torch'], outDir: join(folder, 'out') });
  expect(diagnostics.map((one) => one.code)).toEqual(['torch/left-out']);
  expect(diagnostics[0]!.message).toMatch(/`distill`/);
});
