import * as tf from '@tensorflow/tfjs';
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm';
// it registers itself
// oxlint-disable-next-line import/no-unassigned-import
import '@tensorflow/tfjs-backend-webgpu';
import type { Dataset } from '../../src/data/dataset.js';
import { openOnTfjs } from '../../src/engines/tfjs-program.js';
import type { Engine } from '../../src/engines/types.js';
import { fail } from '../../src/base/diagnostics/index.js';
import { distillations } from '../../src/lower/program/index.js';
import { opsById } from '../../src/network/index.js';
import { normalised } from '../../src/run/measured-training.js';
import { trainingSamples } from '../../src/run/training-samples.js';
import { neuronLayers, spreadOver, traceSample } from '../../src/run/traces.js';
import { shownStates } from '../../src/train/averages.js';
import { trainLoop } from '../../src/train/loop.js';
import { chooseConfig } from '../../src/workspace/choose-config.js';
import { Findings } from '../../src/workspace/findings.js';
import { forLabels, plannedTraining, trainable } from '../../src/workspace/planned-training.js';
import { type Files, checked, modelName, withWeights } from './compile.js';
import {
  type Backend,
  type Digits,
  type TrainEpoch,
  type TrainRequest,
  type TrainStart,
  backends,
} from './messages.js';

/** Layers whose spikes are drawn. */
const drawnLayers = 3;
/** Digits that are held back, so that the accuracy shown is that of digits it hasn't seen. */
const heldBack = 0.2;

setWasmPaths('./');

interface Adapter {
  readonly isFallbackAdapter?: boolean;
  readonly info?: { readonly isFallbackAdapter?: boolean };
}

/** What WebGPU computes on here: nothing, a graphics card, or software, which is far slower than WebAssembly. */
async function gpuHere(): Promise<'none' | 'card' | 'software'> {
  const { gpu } = navigator as { readonly gpu?: { requestAdapter(): Promise<Adapter | null> } };
  const adapter = (await gpu?.requestAdapter().catch(() => null)) ?? undefined;
  if (adapter === undefined) return 'none';
  return adapter.isFallbackAdapter === true || adapter.info?.isFallbackAdapter === true ? 'software' : 'card';
}

/** The backend that is asked for, or the first that runs here. */
async function usableBackend(asked?: Backend): Promise<Backend> {
  const gpu = await gpuHere();
  if (asked === 'webgpu' && gpu === 'none') refuse(asked, 'this browser gives pages no adapter for WebGPU');
  for (const name of asked === undefined ? backends : [asked]) {
    if (asked === undefined && name === 'webgpu' && gpu !== 'card') continue;
    try {
      if (await tf.setBackend(name)) return name;
    } catch {
      // the next one
    }
  }
  return refuse(asked ?? 'cpu', 'TensorFlow.js has no such backend here');
}

function refuse(backend: Backend, reason: string): never {
  const help = 'choose another engine beside the button; `the fastest here` always finds one';
  return fail('engine/unavailable', { engine: `tfjs-${backend}`, reason }, undefined, { help });
}

export interface TrainHooks {
  readonly onStart: (start: TrainStart) => void;
  readonly onProgress: (text: string) => void;
  readonly onEpoch: (epoch: TrainEpoch) => void;
}

/** Trains a config's network on the digits of the page, as `spikec train` does, on the fastest backend that there is. */
export async function train(request: TrainRequest, files: Files, hooks: TrainHooks) {
  const { text, config: name, epochs, digits } = request;
  const findings = new Findings();
  const config = chooseConfig(findings.take(checked(text, files)), { path: modelName, config: name });
  const planned = plannedTraining(config, { ...(epochs === undefined ? {} : { epochs }) }, findings);
  const held = planned.settings.validation > 0 ? planned.settings.validation : heldBack;
  const settings = { ...planned.settings, validation: held };
  const dataset = digitSet(digits);
  const plan = normalised(forLabels({ ...planned, settings }, dataset), dataset);
  for (const { teacher } of distillations(plan.settings.loss))
    fail('train/teacher', { teacher, reason: 'is a file, and a page reads none' });
  const trainee = trainable(plan);
  const samples = trainingSamples(dataset, plan.network, plan.settings, findings);
  const backend = await usableBackend(request.backend);
  const engine: Engine = {
    name: `tfjs-${backend}`,
    open: (program, options) => openOnTfjs(program, tf, backend, options),
  };
  const shown = spreadOver(neuronLayers(plan.network), drawnLayers);
  const byId = opsById(trainee.network);
  const traces: Promise<void>[] = [];
  const images = samples.count;
  hooks.onStart({ engine: engine.name, images, held: Math.round(images * held), epochs: plan.settings.epochs });
  await trainLoop({
    trainee,
    samples,
    settings: plan.settings,
    engine,
    now: () => performance.now(),
    placeOf: (op) => byId.get(op)?.place,
    onPhase: (phase) => hooks.onProgress(phase),
    onProgress: ({ epoch, epochs: all, done, total, loss }) =>
      hooks.onProgress(
        `epoch ${epoch} of ${all}: ${done} of ${total} digits${done > 0 ? `, loss ${loss.toFixed(3)}` : ''}`,
      ),
    onEpoch: (record, { states }) => {
      const network = withWeights(plan.network, Object.fromEntries(shownStates(states)));
      const weights = Object.fromEntries([...network.params].map(([id, { tensor }]) => [id, tensor]));
      const choice = { dataset, normalisation: plan.settings.normalisation, sample: 0 };
      const layers = shown.map(({ id }) => byId.get(id) as (typeof shown)[number]);
      traces.push(
        traceSample(network, choice, layers, engine).then((trace) => hooks.onEpoch({ record, weights, trace })),
      );
    },
  });
  await Promise.all(traces);
}

function digitSet({ pixels, labels }: Digits): Dataset {
  const size = pixels.length / labels.length;
  const side = Math.sqrt(size);
  return {
    name: 'the digits of the page',
    shape: [1, side, side],
    classes: 10,
    classesKnown: true,
    length: labels.length,
    scale: 255,
    notes: [],
    read(start, count) {
      const end = Math.min(labels.length, start + count);
      return {
        count: end - start,
        images: pixels.subarray(start * size, end * size),
        labels: Int32Array.from(labels.subarray(start, end)),
      };
    },
    close: () => undefined,
  };
}
