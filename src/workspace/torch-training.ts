import { createHash } from 'node:crypto';
import { elementCount } from '../base/dtype.js';
import { bitsFor } from '../base/quantiser.js';
import { stepParameter } from '../equations/index.js';
import { stateKey } from '../backends/torch/index.js';
import type { Layout } from '../data/index.js';
import {
  type BitHolder,
  bitHolders,
  binsOf,
  bitKinds,
  distillations,
  learnedBitsOf,
  lowerForTraining,
  stepsOfNetwork,
  taskLosses,
} from '../lower/program/index.js';
import {
  type Network,
  type Op,
  inputParts,
  isFiringLayer,
  learnsBits,
  mostOf,
  printNetwork,
  squeezeBehind,
  wholeOf,
} from '../network/index.js';
import { isBatch, optimizerSlots } from '../tensor/index.js';
import { type TrainSettings, constraintsOf, quantisedTensors, undecayedParams } from '../train/index.js';
import { artifactFiles } from './artifacts.js';
import { packageVersion } from './version.js';

/** A training, as a program for it must know it. */
export interface TorchTraining {
  readonly network: Network;
  readonly config: string;
  readonly settings: TrainSettings;
  /** The data set's name; `train.py` asks for one where there is none. */
  readonly data?: string;
  readonly layout?: Layout | undefined;
  /** The model file, as `model.spike`, and what it uses. */
  readonly sources: ReadonlyMap<string, string | Uint8Array>;
}

/** Bits or steps: a number, or the parameter that is rounded within 1 … most. */
type Whole = number | { readonly param: string; readonly most: number };

/**
 * `training.json`, what `train.py` does by: settings, what is learned and within which bounds, random numbers, learned
 * bits, and how firing is counted. Beside it the files of the run folder that don't change.
 */
export function torchTraining(training: TorchTraining): Map<string, string | Uint8Array> {
  const { network, config, settings, sources } = training;
  const { normalisation } = settings;
  const bins = binsOf(settings.loss);
  const detector = bins === undefined ? undefined : { bins };
  const origin = { maker: 'train', config, sources, normalisation, detector } as const;
  const made = artifactFiles(network, ['ir', 'json'], origin, packageVersion());
  const files = new Map<string, string | Uint8Array>();
  files.set('training.json', `${JSON.stringify(recipeOf(training), undefined, 1)}\n`);
  // all of them texts
  for (const name of ['network.ir', 'network.json', 'manifest.json'])
    files.set(`spikec/${name}`, made.get(name) as string);
  for (const [name, content] of sources) files.set(`spikec/sources/${name}`, content);
  return files;
}

/** What a training asks for that `train.py` can't do, in the words of the model file. */
export function unknownSetting({ settings, network }: Pick<TorchTraining, 'settings' | 'network'>): string | undefined {
  return inputParts(network).length > 1 ? 'several inputs' : unknownOf(settings);
}

function unknownOf(settings: TrainSettings): string | undefined {
  const { loss, labels, augment, average, measures, memory, others, bits } = settings;
  if (others !== undefined) return 'several outputs';
  if (distillations(loss).length > 0) return 'the loss `distill`';
  const detects = taskLosses(loss).some(({ kind }) => kind === 'yolo');
  if (detects && loss.kind === 'sum') return 'a loss of several terms that has boxes';
  const changes = (['scale', 'erase', 'mixup', 'cutmix'] as const).filter((name) => augment[name] !== undefined);
  const moves = (['flip', 'crop'] as const).filter((name) => augment[name] !== false && augment[name] !== 0);
  const events = (['drop', 'jitter'] as const).filter((name) => augment[name] !== undefined);
  // numbers of pixels would have to move with them
  const lost = labels === 'numbers' ? [...changes, ...moves] : labels === 'boxes' ? [...changes, ...events] : [];
  const what = labels === 'boxes' ? 'images with boxes' : 'images whose labels are numbers';
  if (lost.length > 0) return `\`${lost[0]!}\` in \`augment\` of ${what}`;
  if (memory !== undefined) return '`memory low`';
  if (average !== undefined && bits !== undefined) return 'the setting `average` beside learned bits';
  if (measures === true) return '`normalize measured` (a training measures it: write the numbers)';
  return undefined;
}

function recipeOf({ network, config, settings, data, layout }: TorchTraining): object {
  // how many objects a sample has changes nothing that is told here
  const boxes = settings.labels === 'boxes' ? ({ labels: 'boxes', objects: settings.objects ?? 1 } as const) : {};
  const lowered = lowerForTraining(network, settings.loss, settings.bits?.penalties, boxes);
  const [output] = network.outputs as [string];
  const last = network.ops.find(({ id }) => id === output)!;
  const readOut = last.kind === 'decode' ? (last.attrs.readout ?? 'mean') : 'mean';
  const { image, randoms } = lowered.feeds;
  return {
    spikec: packageVersion(),
    config,
    ...(data === undefined ? {} : { data }),
    ...(layout === undefined ? {} : { layout }),
    settings,
    network: createHash('sha256').update(printNetwork(network)).digest('hex'),
    input: image.steps > 1 ? [image.steps, ...image.shape] : image.shape,
    reads_steps: settings.loss.kind === 'tet' || readOut === 'mean',
    params: [...network.params.keys()],
    // of per-channel parameters a training step has [C, 1, 1], and so has a checkpoint
    shapes: Object.fromEntries(lowered.program.params.map(({ id, shape }) => [id, shape])),
    replaced: Object.keys(lowered.replace),
    slots: optimizerSlots(settings.optimizer),
    undecayed: [...undecayedParams(network)],
    bounds: boundsOf(network),
    noise: randoms.map(({ id, shape: [steps, ...shape], kind, dropped, seed = 0 }) => ({
      id,
      steps: steps !== undefined && isBatch(steps) ? steps.batch : 1,
      shape,
      kind,
      dropped,
      ...(seed === 0 ? {} : { seed }),
    })),
    penalties: (settings.bits?.penalties ?? []).map(({ ops, ...term }) => ({
      ...term,
      holders: learnedBitsOf(network, term.kind)
        .filter(({ op }) => ops.includes(op.id))
        .map((holder) => holderOf(network, holder)),
    })),
    holders: Object.fromEntries(
      bitKinds.map((kind) => [kind, bitHolders(network, kind).map((holder) => holderOf(network, holder))]),
    ),
    quantised: quantisedTensors(network).map(({ kind, op, step, signed }) => ({
      kind,
      layer: op.id,
      module: stateKey(op.id),
      step,
      signed,
      bits: kind === 'weights' ? wholeIn(network, op, 'weight_bits') : bitsOfSpikes(network, op),
      ...(kind === 'weights' ? { weight: op.params['weight'] } : { steps: stepsInto(network, op) }),
    })),
    firing: network.ops.flatMap((op) => (op.kind === 'neuron' ? [firingOf(network, op)] : [])),
  };
}

function boundsOf(network: Network): object {
  const finite = ([name, { lo, hi, ...rest }]: readonly [string, { readonly lo: number; readonly hi: number }]) =>
    [name, { ...(lo > -Infinity ? { lo } : {}), ...(hi < Infinity ? { hi } : {}), ...rest }] as const;
  return Object.fromEntries([...constraintsOf(network)].map(finite));
}

function holderOf(network: Network, { op, role, size }: BitHolder): object {
  // the steps of a train belong to the neurons that it comes from
  const layer = op.kind === 'squeeze' ? op.inputs[0]! : op.id;
  return { op: op.id, layer, size, bits: wholeIn(network, op, role) };
}

function wholeIn(network: Network, op: Op, role: string): Whole {
  const param = op.params[role];
  return param === undefined ? (wholeOf(network, op, role) ?? 1) : { param, most: mostOf(op, role) };
}

function bitsOfSpikes(network: Network, op: Op): Whole {
  if (learnsBits(op)) return wholeIn(network, op, 'bits');
  const given = wholeOf(network, op, 'bits');
  if (given !== undefined || op.kind !== 'neuron') return given ?? 1;
  const [min, max] = op.attrs.levels ?? [0, 1];
  return bitsFor(max - min + 1);
}

/** How many time steps are folded into what a layer of neurons reads. */
function stepsInto(network: Network, op: Op): number {
  const from = network.ops.find(({ id }) => id === op.inputs[0])!;
  return network.ops.some(({ kind }) => kind === 'squeeze') ? 1 : (from.type.time?.steps ?? 1);
}

/** How the spikes of a layer are counted: in levels, a neuron and time step. */
function firingOf(network: Network, op: Op<'neuron'>): object {
  const steps = op.attrs.hold ?? stepsOfNetwork(network);
  const squeeze = squeezeBehind(network, op);
  const role = stepParameter(network.neurons.get(op.attrs.neuron));
  const learned = role === undefined ? undefined : op.params[role];
  const { code } = op.type;
  const counted = squeeze?.params['steps'];
  return {
    layer: op.id,
    module: stateKey(op.id),
    neurons: elementCount(op.type.shape),
    train: steps,
    steps: squeeze === undefined ? steps : wholeIn(network, squeeze, 'steps'),
    amplitude: learned ?? (code.kind === 'spike' ? code.step : 1),
    // what the loss `firing` is of, and its levels
    fires: isFiringLayer(op),
    level: code.kind === 'spike' ? code.step : 1,
    counted: counted ?? null,
  };
}
