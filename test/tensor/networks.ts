import { type Tensor, tensor } from '../../src/base/dtype.js';
import { type Program, ProgramBuilder, type Value, correctCount, lossOf } from '../../src/tensor/index.js';
import { random } from './cases.js';

const N = { batch: 1 };

/**
 * conv3×3(4) – PLIF with hard reset – average pool – linear(3) on [N,1,8,8], T steps of the
 * same image; cross-entropy on mean logits.
 */
export function lifNetwork(steps: number): Program {
  const next = random(17);
  const weights = (shape: readonly number[], spread: number): Tensor =>
    tensor(
      'f32',
      shape,
      Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () => (next() * 2 - 1) * spread),
    );
  const b = new ProgramBuilder('lif');
  const image = b.input('image', 'f32', [N, 1, 8, 8]);
  const labels = b.input('labels', 'i32', [N]);
  b.at('conv');
  const current = b.conv2d(image, b.param('conv.w', weights([4, 1, 3, 3], 0.8)), { pads: [1, 1, 1, 1] });
  const decay = b.at('lif').sigmoid(b.param('lif.a', tensor('f32', [], [0.3])));
  let u: Value | undefined;
  const train: Value[] = [];
  for (let t = 0; t < steps; t++) {
    const charged = u === undefined ? current : b.add(b.mul(u, decay), current);
    const fired = b.ge(charged, 0.6, { surrogate: 'triangle', surrogate_width: 1 });
    train.push(b.cast(fired, 'f32'));
    u = b.select(b.detach(fired), 0, charged);
  }
  const pooled = b.at('pool').avgpool(b.concat(train, 0), { kernel: [2, 2] });
  const flat = b.at('fc').reshape(pooled, [{ batch: steps }, 64]);
  const product = b.matmul(flat, b.param('fc.w', weights([3, 64], 0.3)), { transB: true });
  const logits = b.add(product, b.param('fc.b', weights([3], 0.1)));
  b.at(undefined);
  b.output('loss', lossOf(b, { kind: 'cross_entropy' }, logits, labels));
  b.output('correct', correctCount(b, logits, labels));
  return b.build();
}

/** Images of three kinds (a bar left, a bar on top, a diagonal) with noise. */
export function trainingFeeds(n: number): Record<string, Tensor> {
  const next = random(23);
  const image = new Float32Array(n * 64);
  const labels = new Int32Array(n);
  for (let i = 0; i < n; i++) {
    labels[i] = i % 3;
    for (let y = 0; y < 8; y++)
      for (let x = 0; x < 8; x++) {
        const lit = [x < 2, y < 2, x === y][i % 3]!;
        image[i * 64 + y * 8 + x] = (lit ? 1 : 0) + 0.2 * next();
      }
  }
  return { image: tensor('f32', [n, 1, 8, 8], image), labels: tensor('i32', [n], labels) };
}
