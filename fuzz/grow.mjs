// Valid inputs that nobody wrote: networks, model files and data sets put together at random. Most get past the first checks, which
// damaged bytes rarely do; damage.mjs may still change a little of them.
import { OnnxBuilder } from '../dist/src/testing/onnx-builder.js';
import { below } from './mutate.mjs';

const pick = (random, list) => list[below(random, list.length)];
const chance = (random, p) => random() < p;
const reals = (random, count, size = 1) => Float32Array.from({ length: count }, () => size * (2 * random() - 1));

/** A feed-forward ONNX network: convolutions, norms, activations, pools, joins, in float or with quantisers. */
export function grownGraph(random) {
  const b = new OnnxBuilder(pick(random, [9, 11, 13, 17, 19]));
  const quantised = chance(random, 0.6);
  const batch = pick(random, ['N', 'N', 'N', 1, 2]);
  let [c, h, w] = [1 + below(random, 3), 4 + below(random, 6), 4 + below(random, 6)];
  b.input('x', [batch, c, h, w]);
  let count = 0;
  const name = () => `p${count++}`;
  const quant = (x, signed = false) => (quantised ? b.fakeQuant(x, 0.02 + 0.1 * random(), signed ? 128 : 0) : x);
  let x = quant('x', true);
  const conv = (from, out, k, stride, pad, groups = 1) => {
    const weight = b.floats(name(), [out, c / groups, k, k], reals(random, (out * c * k * k) / groups));
    const inputs = chance(random, 0.6) ? [from, weight, b.floats(name(), [out], reals(random, out))] : [from, weight];
    return b.node('Conv', inputs, {
      kernel_shape: [k, k],
      strides: [stride, stride],
      pads: [pad, pad, pad, pad],
      group: groups,
    });
  };
  const size = (n, k, stride, pad) => Math.floor((n + 2 * pad - k) / stride) + 1;
  const act = (from) => {
    const kind = below(random, 5);
    if (kind === 0) return b.node('Clip', [from, b.scalar(name(), 'float', 0), b.scalar(name(), 'float', 6)]);
    if (kind === 1) return b.node(pick(random, ['Sigmoid', 'Tanh', 'HardSwish', 'Elu', 'Abs']), [from]);
    return b.node('Relu', [from]);
  };
  for (let n = 1 + below(random, 4); n > 0; n--) {
    switch (below(random, 6)) {
      case 0:
      case 1: {
        const [k, stride] = [pick(random, [1, 2, 3]), 1 + below(random, 2)];
        const pad = below(random, k);
        const [nh, nw] = [size(h, k, stride, pad), size(w, k, stride, pad)];
        if (nh < 1 || nw < 1) break;
        const groups = chance(random, 0.2) ? c : 1;
        const out = groups * (1 + below(random, 3));
        x = conv(x, out, k, stride, pad, groups);
        if (chance(random, 0.4)) {
          const bn = [1, 1, 1, 1].map((_, i) =>
            b.floats(
              name(),
              [out],
              reals(random, out).map((v) => (i === 3 ? 0.5 + v * v : v)),
            ),
          );
          x = b.node('BatchNormalization', [x, ...bn], { epsilon: 1e-5 });
        }
        [c, h, w] = [out, nh, nw];
        x = quant(act(x));
        break;
      }
      case 2: {
        if (h < 2 || w < 2) break;
        x = b.node(pick(random, ['MaxPool', 'AveragePool']), [x], { kernel_shape: [2, 2], strides: [2, 2] });
        [h, w] = [Math.floor(h / 2), Math.floor(w / 2)];
        break;
      }
      case 3: {
        const other = quant(act(conv(x, c, 1, 1, 0)));
        x = quant(act(b.node('Add', [x, other])));
        break;
      }
      case 4:
        x = b.node('Concat', [x, x], { axis: 1 });
        c *= 2;
        break;
      default:
        x = b.node(pick(random, ['Identity', 'Dropout']), [x]);
    }
  }
  let features = c * h * w;
  if (chance(random, 0.3)) {
    x = b.node('GlobalAveragePool', [x]);
    features = c;
  }
  x = b.node('Flatten', [x]);
  for (let n = below(random, 2); n > 0; n--) {
    const out = 2 + below(random, 6);
    x = quant(
      act(
        b.node(
          'Gemm',
          [
            x,
            b.floats(name(), [out, features], reals(random, out * features)),
            b.floats(name(), [out], reals(random, out)),
          ],
          { transB: 1 },
        ),
      ),
    );
    features = out;
  }
  const classes = 1 + below(random, 4);
  const last = b.node('Gemm', [x, b.floats(name(), [classes, features], reals(random, classes * features))], {
    transB: 1,
  });
  b.output(chance(random, 0.2) ? b.node('Softmax', [last], { axis: 1 }) : last);
  return b;
}

const neurons = (random) =>
  pick(random, [
    'IF(start: 0.5)',
    `LIF(tau: ${1 + below(random, 9) / 2}, soft: ${chance(random, 0.5)})`,
    'PLIF',
    `MBLIF(integer: ${1 + below(random, 3)}, fraction: ${below(random, 3)})`,
    `MBIF(integer: 1, fraction: ${below(random, 5)})`,
    `MLF(k: ${1 + below(random, 4)})`,
    `Ternary(alpha: ${pick(random, ['1', '0.5'])})`,
    'BackEI',
    `ILIF(D: ${1 + below(random, 40)})`,
    `IBLIF(D: ${1 + below(random, 9)})`,
    `IBRALIF(D: ${pick(random, ['1.5', '5.11', '0.7'])}, N: ${pick(random, ['10', '100', '3'])})`,
    `Refined(bits: ${1 + below(random, 6)}, signed: ${chance(random, 0.3)})`,
    `Grown(planes: ${1 + below(random, 3)})`,
    'GLIF',
    'SlidingPSN',
    'RefractoryLIF',
    'KLIF',
    `Phase(period: ${1 + below(random, 4)})`,
    `Burst(longest: ${below(random, 4)})`,
    'Switch',
    `Pattern(bits: ${1 + below(random, 8)})`,
  ]);

/** A model file: a network of layers in the language, a neuron of its own, and a config. */
export function grownModel(random) {
  const bound = 1 + below(random, 7);
  const form = pick(random, ['', '  planes unary\n', '  planes binary\n']);
  const surrogate = pick(random, [
    'rectangle(width: 1)',
    'atan',
    'sigmoid(slope: 2)',
    'triangle',
    `ste(lo: 0, hi: ${bound})`,
  ]);
  const fire = pick(random, [
    'u >= 1',
    `clip(round(u), 0, ${bound})`,
    `clip(floor(u), -${bound}, ${bound})`,
    `levels(u, max: ${bound})`,
  ]);
  const stage = () =>
    pick(random, [
      `conv(${1 + below(random, 4)}, kernel: ${1 + below(random, 4)}, stride: ${1 + below(random, 2)})`,
      `conv(2, kernel: 3) | batchnorm`,
      'spike',
      'spike',
      'conv(2) | batchnorm | spike',
      `spike(${neurons(random)})`,
      'avgpool(2)',
      'maxpool(2)',
      'dropout(0.2)',
      'BasicBlock(2)',
      'SewBlock(2)',
      'MembraneBlock(2)',
      'eca(3)',
      pick(random, ['relu', 'tanh', 'gelu', 'silu', 'softmax', 'layernorm']),
      pick(random, [
        'pad(1)',
        'upsample(2)',
        'channel_shuffle(2)',
        'voting(2)',
        'transposed_conv(2, kernel: 2, stride: 2)',
      ]),
    ]);
  const body = Array.from({ length: 1 + below(random, 4) }, stage).join(' | ');
  const join = pick(random, ['a + b', 'concat(a, b)', 'a', 'a | delay(1)', '2 * a', 'a - b']);
  const coding = pick(random, [
    `direct(steps: ${1 + below(random, 5)})`,
    `rate(steps: ${1 + below(random, 3)})`,
    'events(steps: 2)',
    `phase(period: ${1 + below(random, 4)}, steps: ${1 + below(random, 8)}, input: 1)`,
    `burst(steps: ${1 + below(random, 6)}, longest: ${below(random, 5)})`,
    `tsc(steps: ${1 + below(random, 6)}, input: ${below(random, 3)})`,
  ]);
  const bits = pick(random, [
    '',
    '',
    '  bits { weights 4 }\n',
    '  bits { weights learn(init: 6, max: 8, target: 4) }\n',
  ]);
  const head = pick(random, [
    'flatten | linear(3)',
    'global_avgpool | flatten | linear(3)',
    'flatten | spike | linear(2)',
  ]);
  const names = `IF, LIF, PLIF, MBLIF, MBIF, MLF, Ternary, BackEI, ILIF, IBLIF, IBRALIF, Refined, GLIF, SlidingPSN,
  RefractoryLIF, KLIF, Phase, Burst, Switch, Pattern`;
  return Buffer.from(`use "spikec/neurons" { ${names} }
use "spikec/blocks" { BasicBlock, SewBlock, MembraneBlock }
neuron Grown(planes = 1, a = learn(0.5, constraint: unit)) {
  state u = ${pick(random, ['0', '0.5', '-1'])}
  charge u = ${pick(random, ['a * u', 'u', '(1 - 1 / 2) * u'])} + planes * x
  fire s = ${fire}
  reset ${pick(random, ['', 'detached '])}u = ${pick(random, ['u - s', 'where(s != 0, 0, u)', 'u - s * planes'])}
  surrogate ${surrogate}
${form}}
network N {
  input x: real[${1 + below(random, 3)}, ${2 + below(random, 7)}, ${2 + below(random, 7)}]
  a = x | ${body}
  b = a | conv(2, kernel: 1) | spike
  c = a | spike | conv(2, kernel: 1)
  output ${chance(random, 0.5) ? join : 'b + c'} | ${head}
}
config c {
  network N
  neuron ${neurons(random)}
  coding ${coding}
${bits}  train { data mnist optimizer adam(lr: 1e-3) batch 4 epochs 1 seed 1 batchnorm ${pick(random, ['plain', 'tdbn'])} }
}
`);
}

/** A text with one or two of its numbers moved a little. */
export function nudgedText(random, bytes) {
  const tokens = bytes.toString('utf8').match(/\s+|\d+(?:\.\d+)?|[A-Za-z_][\w.]*|./gu) ?? [];
  const numbers = tokens.flatMap((token, i) => (/^\d/.test(token) ? [i] : []));
  for (let n = 1 + below(random, 2); n > 0 && numbers.length > 0; n--) {
    const at = pick(random, numbers);
    const value = Number(tokens[at]);
    tokens[at] = String(pick(random, [value + 1, Math.max(0, value - 1), value * 2, value / 2, 1]));
  }
  return Buffer.from(tokens.join(''), 'utf8');
}

/** Bytes behind the first part of a file changed, where the data are. */
export function nudgedData(random, bytes) {
  const result = Buffer.from(bytes);
  for (let n = 1 + below(random, 8); n > 0; n--) {
    const at = Math.floor(result.length * (0.5 + 0.45 * random()));
    result[at] = below(random, 256);
  }
  return result;
}
