import { define } from './define.js';

export const trainDiagnostics = {
  'train/loss-needs-classes': define<{ name: string; loss: string }>(
    'error',
    ({ name, loss }) => `\`${loss}\` compares outputs with classes, and the labels of "${name}" are numbers`,
    `Numbers are learned with \`loss mse\`, \`l1\`, \`huber(delta: 1)\` or, where they lie between 0 and 1, \`bce\`. Labels that are
classes are saved as integers (\`labels.astype('int64')\`). With \`target reconstruction\` the labels are the numbers of the input.`,
  ),
  'train/loss-weights': define<{ loss: string; count: number; outputs: number }>(
    'error',
    ({ loss, count, outputs }) => `\`${loss}\` has ${count} weights, and the network ${outputs} outputs`,
    `\`weights\` of a loss has a number for each class, in the order of the outputs: \`cross_entropy(weights: [1, 2.5, 1])\`.`,
  ),
  'train/weights-taken': define<{ folder: string; taken: number; left: readonly string[] }>(
    'note',
    ({ folder, taken, left }) =>
      left.length === 0
        ? `all ${taken} parameters begin as they are in "${folder}"`
        : `${taken} parameters begin as they are in "${folder}"; ${left.length} don't: ${left.slice(0, 6).join(', ')}${left.length > 6 ? ' …' : ''}`,
    `\`--from\` takes the weights of another run, compiled folder or NIR file whose names and shapes are those of this network. The others begin
as they do without it.`,
  ),
  'train/no-weights-taken': define<{ folder: string }>(
    'error',
    ({ folder }) => `no parameter of "${folder}" has the name and the shape of one of this network`,
    `\`--from\` takes weights by the ids of layers: \`first.conv.weight\`. The run is of another network.`,
  ),
  'train/streamed': define<{ name: string; kept: number; images: number; megabytes: number }>(
    'note',
    ({ name, kept, images, megabytes }) =>
      `${kept} of the ${images} samples of "${name}" are kept in memory (${megabytes} MB), the others are read in each epoch`,
    `Samples are kept in memory as far as they fit in \`--memory\` (in MB; 1074 where it isn't said), and read from the disk again
whenever they are needed where they don't: a data set may be larger than the memory. The order of samples and all numbers are the
same. Samples that are decoded (PNG, JPEG, WAV, HDF5, recordings that are cut into frames) are written to a temporary file when they are
read first, in \`TMPDIR\` or \`/var/tmp\`, as far as half of the free space there holds them: later epochs are nearly as fast as with all in memory.`,
  ),
  'train/low-memory': define<{ engine: string; engines: readonly string[] }>(
    'error',
    ({ engine, engines }) => `the engine ${engine} can't train with \`memory low\`; ${engines.join(', ')} can`,
    `With \`memory low\` (\`--low-memory\`) values of the forward pass are computed again when the backward pass needs them, so that fewer lie in
memory. \`onnxruntime\` and \`fused\` join what is computed twice, or compute it early, and would need as much as before;
\`torch\` doesn't know the setting.`,
  ),
  'train/output-without-loss': define<{ output: string }>(
    'error',
    ({ output }) => `no loss is of the output \`${output}\``,
    `Of a network with several outputs each has a loss of its own, which names it: \`loss cross_entropy(of: digit) + 0.1 * mse(of: picture, target: reconstruction)\`.
Without \`loss\` each has the usual one of its labels. An output that nothing is to be learned of is left out of the network.`,
  ),
  'train/output-without-labels': define<{ output: string; name: string; found: readonly string[] }>(
    'error',
    ({ output, name, found }) =>
      `the output \`${output}\` has nothing to be compared with: ${name} has ${found.length === 0 ? 'no labels by name' : `labels ${found.join(', ')}`}`,
    `The labels of several outputs lie in one NPZ or HDF5 file beside its \`images\`, each under its output's name: integers [count] are classes,
floating-point numbers [count, outputs] are to be predicted. Those of the first output may be called \`labels\`. An output that shall be the input
itself says so: \`mse(of: picture, target: reconstruction)\`.`,
  ),
  'train/teacher': define<{ teacher: string; reason: string }>(
    'error',
    ({ teacher, reason }) => `the teacher "${teacher}" ${reason}`,
    `\`loss distill("teacher.onnx", temperature: 4)\` learns from an ONNX file beside the model file: one input, which takes the samples as the
network gets them, normalised, in float32, and a first output with as many numbers as the network has outputs, before any softmax. It is
run by onnxruntime on each batch, augmented as it is.`,
  ),
  'train/diverged': define<{ epoch: number; step: number; layer: string; what: string }>(
    'error',
    ({ epoch, step, what }) =>
      `the training diverged in epoch ${epoch}, step ${step}: ${what} became infinite or NaN before anything else`,
    `The step was run again with every intermediate value watched: the message names the layer where the first one that isn't finite
is, and whether that is among its values, their gradient, or what the optimiser made of a parameter.

The last checkpoint is from before and stays as it is. Remedies, in this order: a smaller learning rate, a few epochs of
\`warmup\` in the schedule, batch norm in front of the neurons, a wider surrogate, \`normalize\` for the inputs. A division
or logarithm of your own neuron that meets 0 shows here too.`,
  ),
  'train/not-finite': define<{ name: string; epoch: number }>(
    'error',
    ({ name, epoch }) => `"${name}" is not finite after epoch ${epoch}; the checkpoint before is kept`,
    `A weight or a state of the optimiser is infinite or NaN. Such a checkpoint could never be resumed, so it isn't written.`,
  ),
  'train/no-gradient': define<{ layer: string; neuron: string; params: readonly string[] }>(
    'error',
    ({ layer, neuron, params }) =>
      `no gradient reaches ${params.slice(0, 4).join(', ')}${params.length > 4 ? ', …' : ''}: it ends at ${layer}${neuron === '' ? '' : `, a layer of ${neuron}`}`,
    `Training changes weights along the gradient of the loss. A comparison, \`floor\`, \`round\` or \`sign\` has no useful
derivative of its own: a neuron says with \`surrogate\` what stands in for it. Without one, or when the output doesn't depend
on the membrane at all, nothing in front of the neuron can learn.`,
  ),
  'train/no-checkpoint': define<{ path: string }>(
    'error',
    ({ path }) => `there is nothing to resume: no checkpoint "${path}"`,
    `\`--resume\` goes on from \`checkpoint/state.safetensors\` in the run folder, which is written after every epoch. Name the
run folder with \`-o\`, or leave out \`--resume\` to begin.`,
  ),
  'train/bad-checkpoint': define<{ path: string; reason: string }>(
    'error',
    ({ path, reason }) => `"${path}" is no checkpoint: ${reason}`,
    `A checkpoint is a safetensors file with weights, the optimiser's state and, as metadata, the progress of the training.
spikec writes it whole or not at all; this file comes from something else or was damaged later.`,
  ),
  'train/other-log': define<{ path: string; line: number }>(
    'error',
    ({ path, line }) => `line ${line} of "${path}" isn't what the checkpoint remembers`,
    `The log of a run folder is written together with its checkpoint. This one was changed by somebody, or comes from another
training, so \`--resume\` doesn't replace it. Move it away or delete it: it is then written again from the checkpoint.`,
  ),
  'train/best-lost': define<{ path: string; epoch: number }>(
    'warning',
    ({ path, epoch }) => `"${path}" doesn't hold the weights of the best epoch, ${epoch}`,
    `The folder \`best\` of a run was deleted, changed or damaged. The checkpoint holds the weights of the last epoch only, so the
best ones can't be made again; \`best\` is written anew by the next epoch that is better.`,
  ),
  'train/other-training': define<{ path: string; reason: string }>(
    'error',
    ({ path, reason }) => `"${path}" belongs to another training: ${reason}`,
    `A training resumes with the network, the data and the settings it began with; only \`epochs\` may differ. Resume with the
model file as it was, or begin a new run in another folder.`,
  ),
  'train/bad-run': define<{ path: string }>(
    'error',
    ({ path }) => `"${path}" isn't what a training writes`,
    `\`run.json\` in a run folder holds the name of the configuration and how images are normalised, as JSON. spikec writes it
whole or not at all; this file comes from something else or was damaged later. Train again, or delete it: then images are
taken as they are.`,
  ),
  'train/run-exists': define<{ path: string }>(
    'error',
    ({ path }) => `"${path}" already holds a training`,
    `A run folder is not overwritten. Go on with it by \`--resume\`, choose another folder with \`-o\`, or delete it.`,
  ),
  'train/setting-missing': define<{ config: string; name: string }>(
    'error',
    ({ config, name }) => `the config ${config} can't be trained: it has no ${name}`,
    `Training needs a network of the language, data and an optimiser:

\`\`\`
train { data mnist  optimizer adam(lr: 1e-3)  epochs 5 }
\`\`\``,
  ),
  'train/nothing-to-renew': define(
    'warning',
    () => 'no step size of spikes is renewed: no neuron learns its own',
    `\`renewal spikes\` sets a neuron's step size anew when its bits change (ABA Alg. 1-2). That needs a step size that learns, a
parameter \`learn(START, constraint: step)\` as \`theta\` of \`Refined\`; with \`theta: fixed(…)\`, or with a neuron that has none, levels
are cut off where the bits end. Leave the step size to training, or write \`renewal none\`.`,
  ),
  'train/nothing-learns': define(
    'warning',
    () => 'no weight learns: `freeze` names every layer that has some',
    `\`freeze\` leaves the weights of the layers that it names as they are; here these are all. Batch norm still gathers its statistics.
Name fewer layers, or leave \`freeze\` out.`,
  ),
  'train/long-warmup': define<{ warmup: number; epochs: number }>(
    'warning',
    ({ warmup, epochs }) => `the warm-up of ${warmup} epochs doesn't end in the ${epochs} of the training`,
    `During \`warmup\` the learning rate rises in a straight line; the schedule itself begins behind it, which is never here, and the
rate of the optimiser isn't reached. Train longer, or shorten it.`,
  ),
  'train/dead-layer': define<{ layers: readonly string[]; epoch: number; rate: number }>(
    'warning',
    ({ layers, epoch, rate }) =>
      `${firstFew(layers)} ${layers.length === 1 ? "doesn't" : "don't"} fire: ${layers.length === 1 ? '' : 'at most '}${rate.toFixed(4)} spikes per neuron and time step after epoch ${epoch}`,
    `Layers behind one that never fires see zeros, and what is in front of it learns only through its surrogate, if that reaches so
far below the threshold. Most often the currents are too small: lower the neuron's threshold, put \`batchnorm\` (with \`tdbn\` for
the threshold) in front of it, normalise the inputs, or give it a wider surrogate; of several begin with the first. Training goes on; a
layer is named once.`,
  ),
  'train/saturated-layer': define<{ layers: readonly string[]; epoch: number; rate: number; highest: number }>(
    'warning',
    ({ layers, epoch, rate, highest }) =>
      `${firstFew(layers)} ${layers.length === 1 ? 'fires' : 'fire'} all the time: ${layers.length === 1 ? '' : 'at least '}${rate.toFixed(3)} of at most ${highest} per neuron and time step after epoch ${epoch}`,
    `A layer whose neurons fire their highest level at every step says the same whatever it is given. Raise the threshold, put
\`batchnorm\` in front of it, or lower the learning rate; a neuron with more levels (\`MBLIF\`, \`ILIF\`) takes larger currents.
Training goes on; a layer is named once.`,
  ),
  'train/too-few-images': define<{ name: string; images: number }>(
    'error',
    ({ name, images }) => `"${name}" leaves ${images} images to train on`,
    `After \`limit\` and \`validation\` at least two images must be left to train on: batch statistics of one image are nothing.`,
  ),
} as const;

/** The first names of a list, and how many more there are. */
function firstFew(names: readonly string[]): string {
  const left = names.length - 4;
  return left > 1 ? `${names.slice(0, 4).join(', ')} and ${left} more` : names.join(', ');
}
