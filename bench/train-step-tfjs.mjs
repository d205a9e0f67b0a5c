// The first networks of bench/train-step.mjs as one writes them by hand in TensorFlow.js: `tf.variableGrads`, time folded into
// the batch around neurons that are unrolled, [N,H,W,C] throughout. Reads lines "STEPS", runs that many training steps, answers as
// lib/contest.mjs says.
//   node bench/train-step-tfjs.mjs --network mnist [--batch 64] [--steps 4] [--backend tensorflow]
import { createRequire } from 'node:module';
import { answer, option } from './lib/contest.mjs';

const backend = option('backend', 'tensorflow');
const require = createRequire(import.meta.url);
require(backend === 'tensorflow' ? '@tensorflow/tfjs-node' : `@tensorflow/tfjs-backend-${backend}`);
const tf = require('@tensorflow/tfjs');
await tf.setBackend(backend);
await tf.ready();

const steps = Number(option('steps', 4));
const batch = Number(option('batch', 64));
const epsilon = 1e-5;

/** u ≥ 1 with a rectangle of width 1 for its gradient. */
const fires = tf.customGrad((u, save) => {
  save([u]);
  const gradFunc = (dy, [u]) => dy.mul(tf.lessEqual(tf.abs(u.sub(1)), 0.5).cast('float32'));
  return { value: u.greaterEqual(1).cast('float32'), gradFunc };
});
/** u where it stays below the threshold, otherwise 0; the choice takes no part in the gradient. */
const resets = tf.customGrad((u, save) => {
  const stays = u.less(1).cast('float32');
  save([stays]);
  return { value: u.mul(stays), gradFunc: (dy, [stays]) => dy.mul(stays) };
});

/** LIF over [T·N, …], or over [N, …] where the input is the same at every step. */
function lif(x) {
  const each = x.shape[0] === batch ? Array.from({ length: steps }, () => x) : tf.split(x, steps);
  const spikes = [];
  let u;
  for (const now of each) {
    const charged = u === undefined ? now : u.mul(0.5).add(now);
    spikes.push(fires(charged));
    u = resets(charged);
  }
  return tf.concat(spikes);
}

const weight = (...shape) =>
  tf.variable(tf.randomNormal(shape, 0, Math.sqrt(1 / shape.slice(0, -1).reduce((a, b) => a * b))));
const norm = (channels) => [tf.variable(tf.ones([channels])), tf.variable(tf.zeros([channels]))];

function batchNorm(x, [gain, shift]) {
  const { mean, variance } = tf.moments(x, [0, 1, 2]);
  return tf.batchNorm(x, mean, variance, shift, gain, epsilon);
}

const networks = {
  mnist() {
    const [c1, n1, c2, n2] = [weight(3, 3, 1, 32), norm(32), weight(3, 3, 32, 64), norm(64)];
    const [f1, f2] = [weight(7 * 7 * 64, 128), weight(128, 10)];
    const [b1, b2] = [tf.variable(tf.zeros([128])), tf.variable(tf.zeros([10]))];
    return {
      shape: [28, 28, 1],
      logits(image) {
        const first = tf.avgPool(lif(batchNorm(tf.conv2d(image, c1, 1, 'same'), n1)), 2, 2, 'valid');
        const second = tf.avgPool(lif(batchNorm(tf.conv2d(first, c2, 1, 'same'), n2)), 2, 2, 'valid');
        const hidden = lif(tf.matMul(second.reshape([steps * batch, -1]), f1).add(b1));
        return tf.matMul(hidden, f2).add(b2);
      },
    };
  },
  resnet20() {
    const conv = (k, from, to) => ({ w: weight(k, k, from, to), n: norm(to) });
    const apply = ({ w, n }, x, stride = 1) => batchNorm(tf.conv2d(x, w, stride, 'same'), n);
    const stem = conv(3, 3, 16);
    const blocks = [16, 32, 64].flatMap((width, stage) =>
      [0, 1, 2].map((i) => {
        const from = i === 0 && stage > 0 ? width / 2 : width;
        const stride = i === 0 && stage > 0 ? 2 : 1;
        const around = stride === 1 ? undefined : conv(1, from, width);
        return { first: conv(3, from, width), second: conv(3, width, width), around, stride };
      }),
    );
    const [f, b] = [weight(64, 10), tf.variable(tf.zeros([10]))];
    return {
      shape: [32, 32, 3],
      logits(image) {
        let x = lif(apply(stem, image));
        for (const { first, second, around, stride } of blocks) {
          const inner = apply(second, lif(apply(first, x, stride)));
          x = lif(inner.add(around === undefined ? x : apply(around, x, stride)));
        }
        return tf.matMul(x.mean([1, 2]), f).add(b);
      },
    };
  },
};

const { shape, logits } = networks[option('network', 'mnist')]();
const pixels = Float32Array.from(
  { length: batch * shape.reduce((a, b) => a * b) },
  (_, i) => ((i * 2654435761) % 1000) / 1000,
);
const labels = tf.oneHot(
  tf.tensor1d(
    Int32Array.from({ length: batch }, (_, i) => (i * 7) % 10),
    'int32',
  ),
  10,
);
const optimizer = tf.train.momentum(0.01, 0.9);
await answer(() => {
  const image = tf.tensor(pixels, [batch, ...shape]);
  const { value, grads } = tf.variableGrads(() =>
    tf.losses.softmaxCrossEntropy(labels, logits(image).reshape([steps, batch, 10]).mean(0)),
  );
  optimizer.applyGradients(grads);
  const [loss] = value.dataSync();
  tf.dispose([image, value, grads]);
  return loss;
});
