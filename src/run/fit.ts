import { elementCount } from '../base/dtype.js';
import {
  type Dataset,
  type Framing,
  type NamedInput,
  type Need,
  type Normalisation,
  fitDataset,
  framingKinds,
  framingRules,
} from '../data/index.js';
import { detectionPlaces } from '../tensor/index.js';
import { sampleShape } from '../lower/program/index.js';
import { type Network, inputParts, isFlattening, opsById, sameShape } from '../network/index.js';
import { present } from '../base/invariant.js';
import type { Findings } from '../workspace/findings.js';

/** What the flags say of an image's scale, or else what the config, the folder or the run says. */
export function chosenNormalisation(flags: Normalisation, own: Normalisation): Normalisation {
  return flags.mean === undefined && flags.std === undefined ? own : flags;
}

/** What a network needs of data: the shape of a sample, the steps in front where it takes a frame a step, and its outputs. */
export function needOf(network: Network, normalisation: Normalisation = {}): Need {
  const shape = sampleShape(network);
  const input = present(
    network.ops.find(({ kind }) => kind === 'input'),
    'run: a network without input',
  );
  const frames = shape.length > input.type.shape.length;
  const framing = framingOf(network);
  return {
    shape,
    frames,
    outputs: elementCount(outputShape(network)),
    normalisation,
    inputs: namedInputs(network),
    ...(framing === undefined ? {} : { framing }),
  };
}

/** What a network trained with `loss yolo` needs of labels; nothing of another. */
export function detectorOf(network: Network, bins: number | undefined): Pick<Need, 'detector'> {
  if (bins === undefined) return {};
  const [rows = 0, columns = 0] = sampleShape(network).slice(-2);
  return { detector: { bins, places: detectionPlaces([rows, columns]) } };
}

/** The inputs by the names that the file or the model gives them. */
export function namedInputs(network: Network): readonly NamedInput[] {
  return inputParts(network).map(({ name, start, end, shape, range }) => ({
    name:
      name ??
      present(
        network.ops.find(({ kind }) => kind === 'input'),
        'run: a network without input',
      ).id,
    start,
    end,
    ...(shape === undefined ? {} : { shape }),
    ...(range?.whole === true ? { rows: range.high + 1 } : {}),
  }));
}

/** How `coding events` turns recordings into frames. */
function framingOf(network: Network): Framing | undefined {
  const { name, args = {} } = network.coding ?? {};
  if (name !== 'events') return undefined;
  const { by, rule, window } = args;
  return {
    steps: sampleShape(network)[0]!,
    by: framingKinds.find((kind) => kind === by) ?? 'number',
    rule: framingRules.find((one) => one === rule) ?? 'spikingjelly',
    ...(typeof window === 'number' ? { window } : {}),
  };
}

/** The data set as the network takes it, or an error; what the user should know goes to `findings`. */
export function fitToNetwork(
  network: Network,
  dataset: Dataset,
  findings: Findings,
  more: Partial<Pick<Need, 'numbers' | 'normalisation' | 'targetIsInput' | 'detector'>> = {},
): Dataset {
  return findings.take(fitDataset(dataset, { ...needOf(network), ...more }));
}

/** The shape of an output in front of what only writes its numbers in a row: of masks [classes, rows, columns]. */
export function unflattenedShape(network: Network, n = 0): readonly number[] {
  const byId = opsById(network);
  let op = present(byId.get(network.outputs[n] ?? ''), 'run: a network without output');
  for (;;) {
    const [input, ...others] = op.inputs.map((id) => byId.get(id)!);
    if (input === undefined || others.length > 0 || op.type.shape.length > 1) return op.type.shape;
    if (!isFlattening(op) && !sameShape(input.type.shape, op.type.shape)) return op.type.shape;
    op = input;
  }
}

export function outputShape(network: Network, n = 0): readonly number[] {
  const output = network.outputs[n] ?? '';
  return present(opsById(network).get(output), 'run: a network without output').type.shape;
}
