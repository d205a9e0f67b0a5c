// A layer of TSA neurons (Tc = 8, Ts = 2, membranes in f64) by generated WebAssembly kernels, as a graph of
// element-wise onnxruntime operators, and as a plain loop in JavaScript.
//   npm run build && node bench/kernels.mjs
// Prints nanoseconds per neuron (all ten steps) on one thread, copies in and out of the engine included, the best of
// several runs; the loop is what a straightforward simulator would be.
import { fusedEngine } from '../dist/src/engines/fused/index.js';
import { onnxruntimeEngine } from '../dist/src/engines/onnxruntime.js';
import { ProgramBuilder } from '../dist/src/tensor/index.js';

const [steps, silent] = [8, 2];
const theta = 2 ** silent;
const shapes = [[16, 32, 32], [64, 8, 8], [512]];
const batch = 4;

console.log('| neurons | batch | kernel | onnxruntime | loop | onnxruntime / kernel | loop / kernel |');
console.log('| --- | --- | --- | --- | --- | --- | --- |');
for (const shape of shapes) {
  const neurons = shape.reduce((a, b) => a * b, 1);
  const channels = shape[0];
  const gain = Float64Array.from({ length: channels }, (_, c) => 0.01 + (c % 7) / 100);
  const bias = Float64Array.from({ length: channels }, (_, c) => (c % 5) / 10 - 0.2);
  const psp = Float32Array.from({ length: steps * batch * neurons }, (_, i) => ((i * 2654435761) % 401) - 200);
  const inputs = { psp: { dtype: 'f32', shape: [steps * batch, ...shape], data: psp } };
  const program = layer(shape, gain, bias);
  const count = batch * neurons;
  const times = {};
  const spikes = {};
  for (const [name, engine] of Object.entries({ kernel: fusedEngine, onnxruntime: onnxruntimeEngine })) {
    const executable = await engine.open(program, { threads: 1 });
    spikes[name] = (await executable.step(inputs)).spikes.data;
    times[name] = await nanoseconds(count, () => executable.step(inputs));
    await executable.dispose();
  }
  spikes.loop = loop(psp, neurons, channels, gain, bias);
  times.loop = await nanoseconds(count, () => loop(psp, neurons, channels, gain, bias));
  for (const name of ['onnxruntime', 'loop']) {
    if (spikes[name].some((s, i) => s !== spikes.kernel[i])) throw new Error(`${name} and kernel fire differently`);
  }
  const ratio = (name) => (times[name] / times.kernel).toFixed(1);
  const cells = [shape.join('×'), batch, ...['kernel', 'onnxruntime', 'loop'].map((name) => times[name].toFixed(1))];
  console.log(`| ${[...cells, ratio('onnxruntime'), ratio('loop')].join(' | ')} |`);
}

/** The layer as the lowering of networks unrolls it. */
function layer(shape, gains, biases) {
  const b = new ProgramBuilder('tsa');
  const psp = b.input('psp', 'f32', [{ batch: steps }, ...shape]);
  const perChannel = [shape[0], ...shape.slice(1).map(() => 1)];
  const gain = b.param('gain', { dtype: 'f64', shape: perChannel, data: gains });
  const bias = b.param('bias', { dtype: 'f64', shape: perChannel, data: biases });
  const fired = [];
  let u;
  let prefix;
  for (let t = 1; t <= steps + silent; t++) {
    if (u !== undefined) u = b.mul(u, 2);
    if (t <= steps) {
      const x = b.add(b.mul(b.cast(b.sliceAxis(psp, 0, t - 1, t), 'f64'), gain), bias);
      u = u === undefined ? x : b.add(u, x);
    }
    if (t <= silent) continue;
    const up = b.ge(u, theta / 2);
    const low = b.le(u, -theta / 2);
    const down = prefix === undefined ? b.and(low, b.not(low)) : b.and(low, b.ge(prefix, 1));
    const s = b.select(up, b.scalar('f64', 1), b.select(down, b.scalar('f64', -1), b.scalar('f64', 0)));
    u = b.sub(u, b.mul(s, theta));
    prefix = prefix === undefined ? s : b.add(b.mul(prefix, 2), s);
    fired.push(b.cast(s, 'f32'));
  }
  b.output('spikes', b.concat(fired, 0));
  return b.build();
}

function loop(psp, neurons, channels, gain, bias) {
  const plane = batch * neurons;
  const spikes = new Float32Array(steps * plane);
  const area = neurons / channels;
  for (let i = 0; i < plane; i++) {
    const c = Math.floor((i % neurons) / area);
    let u = 0;
    let prefix = 0;
    for (let t = 1; t <= steps + silent; t++) {
      u = 2 * u + (t <= steps ? psp[(t - 1) * plane + i] * gain[c] + bias[c] : 0);
      if (t <= silent) continue;
      const s = u >= theta / 2 ? 1 : u <= -theta / 2 && prefix >= 1 ? -1 : 0;
      u -= s * theta;
      prefix = 2 * prefix + s;
      spikes[(t - silent - 1) * plane + i] = s;
    }
  }
  return spikes;
}

/** Per neuron, the best run of a second, after half a second in which code gets optimised. */
async function nanoseconds(count, run) {
  let best = Infinity;
  const begin = performance.now();
  while (performance.now() - begin < 1500) {
    const start = performance.now();
    await run();
    if (start - begin > 500) best = Math.min(best, performance.now() - start);
  }
  return (best / count) * 1e6;
}
