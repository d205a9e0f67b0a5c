import { define } from './define.js';

export const reportDiagnostics = {
  'report/no-data': define<{ what: string }>(
    'error',
    ({ what }) => `${what} needs images`,
    `Spikes and membranes exist only while a network sees an image. Name a data set with \`--data\`, for example
\`--data cifar10:test\`; \`--sample N\` chooses the image.`,
  ),
  'report/no-detector': define<{ name: string }>(
    'error',
    ({ name }) => `"${name}" isn't a detector, so there are no boxes`,
    `\`picture boxes\` draws, and \`eval --boxes\` writes, what a network finds that was trained with \`loss yolo\`: its run folder says
so, or its config.`,
  ),
  'report/no-pixels': define<{ name: string; data: string }>(
    'error',
    ({ name, data }) => `"${name}" gives no number for each pixel that labels of ${data} have`,
    `\`picture pixels\` draws masks and pictures: what a network gives whose outputs have the height and width of its images, beside labels
of that shape, or, with \`target reconstruction\`, the image itself.`,
  ),
  'report/no-neurons': define<{ name: string }>(
    'error',
    ({ name }) => `"${name}" has no neurons, so there are no spikes to draw`,
    `An ONNX file is a network of real values. Convert it first (\`spikec convert\`), and name the model file that this
writes. \`spikec picture bits\` and \`spikec report\` take ONNX files too.`,
  ),
  'report/unknown-layer': define<{ name: string; layer: string }>(
    'error',
    ({ name, layer }) => `"${name}" has no layer of neurons called "${layer}"`,
    `\`--layer\` takes the id of a layer of neurons, as it stands in the IR: \`stem.spike\`, \`stage1.0.post.spike\`.
\`spikec compile FILE --emit ir\` and \`spikec eval --activity\` list them.`,
  ),
  'report/flat-layer': define<{ layer: string; shape: readonly number[] }>(
    'error',
    ({ layer, shape }) => `${layer} has the shape [${shape.join(',')}], which is no image`,
    `Membranes are drawn as grey images, a channel an image, so the layer must have the shape [channels, height, width].
Choose a layer of neurons behind a convolution.`,
  ),
  'report/no-such-sample': define<{ name: string; sample: number; length: number }>(
    'error',
    ({ name, sample, length }) => `"${name}" has no image ${sample}; it has ${length}, from 0`,
    `\`--sample\` counts the images of the data set from 0.`,
  ),
  'report/no-such-neuron': define<{ layer: string; neuron: number; count: number }>(
    'error',
    ({ layer, neuron, count }) => `${layer} has no neuron ${neuron}; it has ${count}, from 0`,
    `\`--neurons\` counts the neurons of a layer from 0, row-major: neuron c·H·W + y·W + x of a layer [C,H,W].`,
  ),
  'report/bad-log': define<{ path: string; line: number; reason: string }>(
    'error',
    ({ path, line, reason }) => `"${path}" is no log of a training: line ${line}: ${reason}`,
    `\`log.jsonl\` in a run folder has a line of JSON for every epoch, written by \`spikec train\`. This one was changed or
damaged later. Without the file the report leaves out the training curves.`,
  ),
} as const;
