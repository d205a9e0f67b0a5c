import { define } from './define.js';

const megabytes = (bytes: number): string => `${Math.round(bytes / 1e6).toLocaleString('en')} MB`;

export const convertDiagnostics = {
  'convert/no-quantiser': define<{ op: string; kind: string; reads: string }>(
    'error',
    ({ op, kind, reads }) => `${kind} %${op} reads %${reads}, which has no quantiser`,
    'SWS carries the integer codes of a quantised network in its spike trains (docs/sws.md: every layer between two activation quantisers). Between this layer and the one before it there is no quantiser, so there is no code to carry.\n\nQuantise the network so that every convolution and linear layer reads a quantised value, and export it again (QDQ or QOperator form). A float network has no quantisers at all: quantise it first.',
  ),
  'convert/nonlinearity': define<{ op: string; kind: string; next: string }>(
    'error',
    ({ op, kind, next }) => `${kind} %${op} isn’t followed by a quantiser, but by ${next}`,
    'A nonlinearity can only be computed by spiking neurons, and the neurons of an SWS network stand where the activation quantisers stood. A relu, clip or maximum has to be followed by a quantiser before anything else sums its result.\n\nPlace a quantiser after it and export the network again.',
  ),
  'convert/no-spiking-form': define<{ op: string; kind: string; coding: string }>(
    'error',
    ({ op, kind, coding }) => `${kind} %${op} has no spiking form in the ${coding} coding`,
    'This layer computes something that spikes of this coding can’t carry exactly, and spikec never approximates silently. Replace the layer, or choose another coding.',
  ),
  'convert/float-network': define<{ network: string }>(
    'error',
    ({ network }) => `network "${network}" has no activation quantisers, so there are no codes for SWS spikes to carry`,
    'The SWS coding converts *quantised* networks: each spike train carries the integer code of one quantised activation. This network is a float network.\n\nQuantise it first (for example by quantisation-aware training in PyTorch, or by the quantiser of ONNX Runtime) and convert the quantised file.',
  ),
  'convert/input-not-quantised': define<{ op: string; kind: string }>(
    'error',
    ({ op, kind }) => `${kind} %${op} reads the real input; the network has to quantise its input first`,
    'The input encoder emits the digits of the input’s quantised code, so the input needs a quantiser before the first layer. Export the network with its input quantised (the usual setting of every quantiser).',
  ),
  'convert/max-pool-beta': define<{ op: string; beta: number }>(
    'error',
    ({ op, beta }) => `max pooling %${op} by running prefix is exact only for beta = 2, not ${beta}`,
    'For β = 2 the difference of running maxima M_k − β·M_k−1 is always −1, 0 or 1: a spike. For other β it isn’t, and spikec refuses rather than approximates. Use `beta: 2`, or average pooling.',
  ),
  'convert/mac-on-real': define<{ op: string; kind: string; does: string; code: string }>(
    'error',
    ({ op, kind, does, code }) =>
      `${kind} %${op} ${does} ${does === 'multiplies' ? `a ${code} value` : `${code} values`}; after the encoder a synapse may only accumulate spikes`,
    'A spiking network accumulates weights where spikes arrive and never multiplies real values beyond its encoder. This check runs on every converted network. A product of two values (an attention’s q·kᵀ) passes where one of them has spikes −1, 0 and 1 alone: each adds, leaves out or takes away a value of the other.',
  ),
  'convert/attention-gate': define<{ gates: number; products: number }>(
    'note',
    ({ gates, products }) =>
      `${gates} channel attention${gates === 1 ? '' : 's'} multipl${gates === 1 ? 'ies' : 'y'} membrane currents: ${products.toLocaleString('en')} products of real values a step; every other synapse only accumulates`,
    'A channel attention (ECA, MBM eq. 16) is x ⊙ sigmoid(conv1d(mean of x)) on membrane currents x, so its gate multiplies real values by its definition: C·k products for the convolution over the channels and C·H·W for the gate, where a 3×3 convolution on spikes of the same layer has 9·C·C·H·W additions. This is the only thing that `verify-accumulate-only` lets pass, and only where the gate follows from what it weighs and nothing else reads it. The 1×1 convolution in front of it is no exception: `compose-synapses` multiplies it into the synapses before it. A chip that can only add can’t run such a network; leave out the interlaminar connections for it.',
  ),
  'convert/code-products': define<{ layers: number; products: number }>(
    'note',
    ({ layers, products }) =>
      `${layers} layer${layers === 1 ? '' : 's'} multipl${layers === 1 ? 'ies' : 'y'} the codes of two spike trains: ${products.toLocaleString('en')} multiplications an image; every other synapse only accumulates`,
    'The product of two quantised values (the gate of a squeeze-excite, an attention) can’t be a sum of spikes. Its neurons wait for both whole trains, multiply the two codes and fire the digits of the quantised product (docs/sws.md): exact, one multiplication a neuron and image (of matrices, one a term of each sum). `cost` counts them as MACs in a row of their own. A chip that can only add can’t run such a network. A function of a single value, like x·sigmoid(x), is no such product: it is a table.',
  ),
  'convert/group-functions': define<{ layers: number; names: string; values: number }>(
    'note',
    ({ layers, names, values }) =>
      `${layers} layer${layers === 1 ? '' : 's'} of neurons appl${layers === 1 ? 'ies' : 'y'} a function of many codes at once (${names}): ${values.toLocaleString('en')} values an image`,
    'Softmax and layer normalisation make each value of all values along an axis, which no sum of spikes is. Their neurons wait for all of these trains, apply the function to the codes in float64, and fire the digits of its quantised value (docs/sws.md): exact, once an image, silent for Tc steps. `cost` has them in rows of functions. A chip that can only add can’t run such a network.',
  ),
  'convert/import-mismatch': define<{ op: string; tensor: string; ours: number; theirs: number; at: number }>(
    'error',
    ({ op, tensor, ours, theirs, at }) =>
      `the imported network differs from the file: %${op} (tensor "${tensor}") is ${ours} where onnxruntime has ${theirs}, at element ${at}`,
    'Before a network is converted, every imported layer is run by itself on the values that onnxruntime computes from the file, and compared. Here the two differ, so what spikec understood is not what the file says; converting it would only hide that. This is a bug in the importer, or a corner of ONNX it reads differently: please report it with the file. The named layer is the first that differs.',
  ),
  'convert/not-finite': define<{ op: string; tensor: string; value: number }>(
    'error',
    ({ op, tensor, value }) => `%${op} (tensor "${tensor}") gives ${value}, in the file as in the imported network`,
    'Before a network is converted it is run on random inputs of its range. There a layer overflows or divides by zero: its results are infinite or no numbers, in onnxruntime just so. No spikes can carry such values. The named layer is the first; look for weights, scales or biases of it that are too large or not finite.',
  ),
  'convert/import-not-verified': define<{ megabytes: number }>(
    'note',
    ({ megabytes }) => `the import of this file (${megabytes} MB) was not compared with onnxruntime layer by layer`,
    'The comparison runs every layer in onnxruntime beside the original and needs several times the size of the file in memory, so above 32 MB it is left out unless it is asked for with `--verify full`. `--verify none` leaves it out for every network. `eval` compares predictions with the original file in any case.',
  ),
  'convert/import-sampled': define<{ compared: number; layers: number; skipped: string }>(
    'note',
    ({ compared, layers, skipped }) =>
      `${compared} of the ${layers} layers of this file were compared with onnxruntime; not compared: ${skipped}`,
    'The comparison holds the values of every layer that it compares. Of networks with more than 2,000 layers, or with more than 2²⁶ values together, it takes every n-th layer, the last among them, so that memory and time stay bounded. Of more than 4,000 layers it runs the first 4,000 and no others: the time that onnxruntime takes to open a file grows with the square of its length.',
  ),
  'convert/large-layers': define<{ what: string; needed: number; allowed: number }>(
    'note',
    ({ what, needed, allowed }) =>
      `${what}: its layers are so large that this may take ${megabytes(needed)}, more than ${megabytes(allowed)}`,
    'Checks run networks on inputs that are drawn at random, and hold what their layers give. Small files can declare layers that take gigabytes, so what a check may take follows from the size of the file (280 MB and forty times as much, but no more than 950 MB and three times as much); beyond it is left out, unless `--verify full` asks for it.',
  ),
  'convert/too-long': define<{ what: string; steps: number; most: number }>(
    'note',
    ({ what, steps, most }) => `${what}: the layers of neurons have ${steps} time steps together, more than ${most}`,
    'A program unrolls each layer of neurons over its time steps. Chains of thousands of layers would make one of millions of operations, which takes minutes and gigabytes to make and which no engine opens: `infer.onnx` isn’t written and the spiking network isn’t run for a check. The bound is 16,384 steps for what is written, 8,192 for what is run. The network itself (`network.ir`, its weights) and its costs don’t need the program.',
  ),
  'convert/partly-searched': define<{ searched: number; layers: number }>(
    'note',
    ({ searched, layers }) =>
      `silent periods are searched for the first ${searched} of ${layers} layers of neurons; the others have those that are proven`,
    'Each layer that is searched is run by itself, with several silent periods. Up to 2,048 time steps of layers together are, and no layer so large that this may take more than checks may (`convert/large-layers`), unless `--silent auto` asks for it; the layers behind have the period with which their codes are right whatever comes in (`docs/sws.md`), which may be longer than they need. `--silent N` says one period for all.',
  ),
  'convert/reference': define<{ replaced: readonly string[] }>(
    'note',
    ({ replaced }) =>
      `onnxruntime doesn’t have ${replaced.join(', ')}: the reference is the file with them written out in ONNX’s own operators`,
    'An import is compared with its file layer by layer, and an SNN’s predictions with those of its file. onnxruntime runs the file for that, with its optimisations disabled. Operators of other dialects (QONNX) it can’t run; before it runs the file, spikec replaces each of them by what its specification defines, step by step in float32: divide, add, clip, round, subtract, multiply. Everything else in the file stays as it is. The importer doesn’t use this form.',
  ),
  'convert/halves': define<Record<string, never>>(
    'note',
    () => 'the file computes in float16: it is read in float32, and that is what the network is compared with',
    'Every float16 number is a float32 number, so weights, scales and biases are read as they are. Runtimes round each sum of a float16 file to float16; spikec doesn’t, nor does its reference: the file with float32 in the place of float16.',
  ),
  'convert/dynamic-quantisers': define<{ count: number; first: string }>(
    'error',
    ({ count, first }) =>
      `${count} activation${count === 1 ? ' has' : 's have'} a dynamic quantiser (DynamicQuantizeLinear; the first is "${first}"), whose codes mean something else for every input`,
    'SWS carries the codes of quantisers with a fixed scale. A dynamic quantiser takes its scale from the values of each input. `--calibrate DATA` measures on a few hundred images which range these activations have, and puts static quantisers in their place.',
  ),
  'convert/snn-differs': define<{ equal: number; samples: number; inputs: string; codes: string }>(
    'warning',
    ({ equal, samples, inputs, codes }) =>
      `the spiking network predicts what its source does on ${equal} of ${samples} ${inputs}${codes}`,
    'A finished conversion is run on a few inputs, images of `--calibrate` or inputs drawn from the range of the input’s quantiser with a seed, beside the network that it was made of (for `sws` that network’s codes in exact arithmetic). It passes where at least 99 % of the predictions are equal and, for `sws`, at most 10 % of the codes of any layer differ. The layer that is named is the first with a code that differs; those behind it differ in consequence, unless float32 decided the code (what is rounded lies within 10⁻³ codes of where the code changes): then they are compared on the code that the SNN has.\n\nWith `sws` a layer that decides too early makes the difference: give it a longer silent period (after Tc − 1 silent steps every code is exact). Codes with more levels than a train of so many steps has need more steps. Where few codes differ by themselves and predictions do, rounding in float32 decides them, as it does between two runtimes of the file: compare accuracies on data. `--strict` makes this an error, `--verify none` leaves the check out, `--verify full` runs it on more inputs.',
  ),
  'convert/coarse-codes': define<{ layers: number; steps: number; amplitude: number }>(
    'note',
    ({ layers, steps, amplitude }) =>
      `${layers} layer${layers === 1 ? ' has' : 's have'} more codes than a train of ${steps} steps: a spike counts for up to ${amplitude} codes, and those in between are rounded`,
    'A train of Tc steps tells (β^Tc − 1)/(β − 1) + 1 values apart: 256 for 8 steps with β = 2, 16 for 4. Where a quantiser has more codes, the amplitude of its spikes is more than one code, and codes are rounded to multiples of it (SWS: 17 for 8 bits at Tc = 4). Give `--steps` as many steps as carry every code, or leave it out: `convert` then takes 8, or more where codes need them.',
  ),
  'convert/bad-coding': define<{ reason: string }>(
    'error',
    ({ reason }) => reason,
    'The coding’s arguments don’t fit the network or each other. SWS: β in (1, 3], Tc ≥ 1 steps, 0 ≤ Ts ≤ Tc silent steps.',
  ),
  'convert/useless-steps': define<{ reason: string }>(
    'warning',
    ({ reason }) => reason,
    'Of `ttfs_dynamic` a spike at step t says 1/t of a layer’s range, and is worth as much of it the later the less. Where T² is below the number of levels of every quantiser, spike times are farther apart than levels, and small activations fire nothing: 8-bit codes (255 levels) need 16 steps. Beyond as many steps as there are levels a spike says less than the least code: those steps lengthen the latency, and the read-out makes more of late spikes than they say.',
  ),
  'convert/no-range': define<{ op: string; kind: string }>(
    'error',
    ({ op, kind }) => `the range of ${kind} %${op} isn’t known`,
    'Neurons that carry an activation as the mean of their spikes need its range: the activation that the largest spike at every step stands for. A quantised network says it in its quantisers. For a float network it is measured: `spikec convert NET.onnx --coding … --calibrate DATA` runs the network over the images and writes `layer "…" { range R }` into the model file, where it can also be written by hand.',
  ),
  'convert/neuron-loses-mean': define<{ neuron: string; steps: number; current: number; mean: number }>(
    'error',
    ({ neuron, steps, current, mean }) =>
      `${neuron} doesn’t carry the mean of its input: a current of ${current} gives ${mean} over ${steps} step${steps === 1 ? '' : 's'}`,
    'A converted activation is the mean of a neuron’s spikes. So under a constant current from 0 to its largest output, the neuron’s mean output over the steps has to be that current, to within one level in one step. Neurons with a leak, a hard reset or a threshold that isn’t 1 don’t do that; `IF` and `MBIF` do at any number of steps, `IBRALIF` and `ILIF` at one step. The neuron’s equations were run to find out.',
  ),
  'convert/calibration': define<{ reason: string }>(
    'error',
    ({ reason }) => `the calibration data can’t be used: ${reason}`,
    'Ranges of activations are measured by running the network over the calibration images. Images that are all alike, or on which a layer never gives anything above 0, say nothing about ranges. Use a few hundred images of the kind the network was trained on, with its `--mean` and `--std`.',
  ),
  'convert/planes-not-full': define<{ neuron: string; levels: number; bits: number }>(
    'warning',
    ({ neuron, levels, bits }) =>
      `spikes of ${neuron} have ${levels} levels; ${bits} binary planes could carry ${2 ** bits}`,
    'At inference a spike of B bits is sent as B binary planes, one virtual time step each. Levels that are no power of two leave codes of the last plane unused: the same time and energy would carry a finer or wider spike. For IBRA-LIF choose D · N = 2^B − 1.',
  ),
  'convert/not-in-planes': define<{ op: string; kind: string; train: string; levels: string }>(
    'error',
    ({ op, kind, train, levels }) =>
      `${kind} %${op} reads spikes of %${train} with levels ${levels}, which have no binary planes`,
    'With `--planes` every synapse behind a neuron reads spikes 0 and 1, or −1, 0 and 1 where codes are signed. This one reads a train that wasn’t split: its levels are no integer codes, or the network came with planes of other trains. A network that has planes isn’t split again, so split the one it was made of: name the model file, or the folder that was compiled without `--planes`.',
  ),
  'convert/unknown-layer-pattern': define<{ pattern: string }>(
    'error',
    ({ pattern }) => `no neuron layer has an id that matches "${pattern}"`,
    'A `layer "pattern" { silent N }` setting names layers by the ids of their neurons, with `*` for any run of characters. None matches. `spikec compile --emit ir` prints all ids.',
  ),
} as const;
