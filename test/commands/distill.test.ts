import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { driver } from '../../src/commands/index.js';
import { tensor } from '../../src/base/dtype.js';
import { evaluate } from '../../src/tensor/index.js';
import { traineeOf } from '../../src/train/index.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { timeless, train, writeTinySet } from '../support/tiny-training.js';
import { networkFrom, stepFeeds, tinyModel } from '../support/train.js';

/** An ANN that is trained and written as `teacher.onnx`, and a spiking network beside it. */
async function classroom(loss: string, { outputs = 3, input = '1, 8, 8' } = {}) {
  const folder = temporaryFolder();
  const data = writeTinySet(folder);
  const ann = join(folder, 'ann.spike');
  writeFileSync(
    ann,
    `network Ann { input image: real[1, 8, 8]  output image | flatten | linear(3) }
     config ann { network Ann  train { data mnist  optimizer adam(lr: 1e-2)  batch 8  epochs 12  seed 1 } }`,
  );
  const taught = await train({ model: ann, data, folder }, { run: join(folder, 'ann') });
  const compiled = join(folder, 'compiled');
  await driver.compileTarget({ path: taught.run }, { emit: ['onnx'], outDir: compiled });
  renameSync(join(compiled, 'infer.onnx'), join(folder, 'teacher.onnx'));
  const model = join(folder, 'snn.spike');
  writeFileSync(
    model,
    `use "spikec/neurons" { LIF }
     network Snn { input image: real[${input}]  output image | flatten | linear(16) | batchnorm | spike | linear(${outputs}) }
     config snn { network Snn  neuron LIF  coding direct(2)
       train { data mnist  loss ${loss}  optimizer adam(lr: 1e-2)  batch 8  epochs 6  seed 3 } }`,
  );
  return { model, data, folder };
}

it('a distillation is T²·KL(softmax(t/T) ‖ softmax(z/T)), as PyTorch’s kl_div(batchmean)·T² has it', () => {
  const network = networkFrom(tinyModel());
  const terms = [{ factor: 1, loss: { kind: 'distill', teacher: '', temperature: 2.5 } }] as const;
  const trainee = traineeOf(network, { loss: { kind: 'sum', terms }, optimizer: { kind: 'sgd' } });
  const feeds = stepFeeds(trainee, 2);
  const teacher = [1, 0.5, -0.25, 2, -1, 0];
  // the step's own outputs, from the losses of labels: ln softmax(z)_y of each class
  const plain = traineeOf(network, { loss: { kind: 'cross_entropy' }, optimizer: { kind: 'sgd' } });
  const logs = [0, 1, 2].map((label) =>
    [0, 1].map((sample) => {
      const labels = tensor('i32', [2], [label, label]);
      const both = -2 * evaluate(plain.step.program, { ...feeds, labels })['loss']!.data[0]!;
      const other = tensor('i32', [2], sample === 0 ? [label, 0] : [0, label]);
      const mixed = -2 * evaluate(plain.step.program, { ...feeds, labels: other })['loss']!.data[0]!;
      return { both, mixed };
    }),
  );
  // of two samples: L(a, b) = l0(a) + l1(b), so l0(a) − l0(0) = L(a, 0) − L(0, 0)
  const logits = [0, 1].map((sample) => logs.map((one) => one[sample]!.mixed - logs[0]![sample]!.mixed));
  const soft = (values: readonly number[]): number[] => {
    const powers = values.map((value) => Math.exp(value / 2.5));
    const sum = powers.reduce((all, one) => all + one, 0);
    return powers.map((power) => power / sum);
  };
  const divergences = [0, 1].map((sample) => {
    const [p, q] = [soft(teacher.slice(3 * sample, 3 * sample + 3)), soft(logits[sample]!)];
    return p.reduce((sum, own, c) => sum + own * Math.log(own / q[c]!), 0);
  });
  const found = evaluate(trainee.step.program, { ...feeds, teacher: tensor('f32', [2, 3], teacher) });
  expect(found['loss']!.data[0]).toBeCloseTo((2.5 ** 2 * (divergences[0]! + divergences[1]!)) / 2, 4);
});

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
  const other = await classroom('cross_entropy');
  writeFileSync(join(place.folder, 'teacher.onnx'), readFileSync(join(other.folder, 'teacher.onnx')));
  expect((await train(place, { resume: true })).codes).toEqual([]);
  const bytes = readFileSync(join(place.folder, 'teacher.onnx'));
  const at = bytes.indexOf('spikec');
  if (at !== -1) bytes[at] = bytes[at]! ^ 1;
  writeFileSync(join(place.folder, 'teacher.onnx'), bytes);
  const { diagnostics } = await train(place, { resume: true, epochs: 7 });
  expect(diagnostics[0]).toMatchObject({ code: 'train/other-training' });
  expect(diagnostics[0]!.message).toMatch(/teacher is/);
});

it.each([
  ['cross_entropy + distill("none.onnx")', {}, 'file/missing', /none\.onnx/],
  ['cross_entropy + distill("../teacher.onnx")', {}, 'train/teacher', /outside/],
  ['cross_entropy + distill("teacher.onnx")', { outputs: 4 }, 'train/teacher', /the network has 4 outputs/],
  ['distill("teacher.onnx") + distill("teacher.onnx")', {}, 'model/conflict', /more than one/],
])('%s is refused', async (loss, network, code, message) => {
  const { model, data, folder } = await classroom(loss, network);
  mkdirSync(join(folder, 'inner'));
  const inner = join(folder, 'inner', 'snn.spike');
  writeFileSync(inner, readFileSync(model));
  const { diagnostics } = await train({ model: loss.includes('../') ? inner : model, data, folder });
  expect(diagnostics[0]!.code).toBe(code);
  expect(diagnostics[0]!.message).toMatch(message);
});

it('PyTorch’s train.py is left out by name where there is a teacher', async () => {
  const { model, folder } = await classroom('distill("teacher.onnx")');
  const { diagnostics } = await driver.compileTarget({ path: model }, { emit: ['torch'], outDir: join(folder, 'out') });
  expect(diagnostics.map((one) => one.code)).toEqual(['torch/left-out']);
  expect(diagnostics[0]!.message).toMatch(/`distill`/);
});
