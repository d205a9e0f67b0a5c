import { elementCount } from '../base/dtype.js';
import { fail } from '../base/diagnostics/index.js';
import { labelsOfOutput } from '../data/index.js';
import type { Network } from '../network/index.js';
import type { Opened } from '../workspace/open.js';
import { firstSpikeOf } from './first-spike.js';
import { outputShape } from './fit.js';
import {
  type Images,
  type Outputs,
  type SpikingRun,
  type Truth,
  classesOf,
  confusionOf,
  readInputs,
  scoreOf,
} from './metrics/index.js';
import type { EvalResult, OutputScore } from './types.js';

interface Evaluated {
  readonly network: Network;
  readonly images: Images;
  /** Of the first output. */
  readonly truth: Truth;
  readonly run: SpikingRun;
  readonly opened: Pick<Opened, 'reconstructs'>;
  readonly confusion: boolean;
}

/** What each output of a network with several is worth; of those that the data has no labels for, their names alone. */
export function otherScores(evaluated: Evaluated): Pick<EvalResult, 'outputs'> {
  const { network, truth, run } = evaluated;
  const [first, ...others] = network.outputs;
  if (others.length === 0 || first === undefined) return {};
  const scores = others.map((name, i): OutputScore => {
    const found = truthOf(evaluated, name, i + 1);
    return found === undefined ? { name } : scored(name, found, run.others.get(name)!, evaluated);
  });
  return { outputs: [scored(first, truth, run.outputs, evaluated), ...scores] };
}

function scored(name: string, truth: Truth, outputs: Outputs, { confusion, network }: Evaluated): OutputScore {
  const classes = classesOf(outputs);
  return {
    name,
    ...scoreOf(truth, { classes, outputs }),
    ...firstSpikeOf(network, name, outputs),
    ...(confusion && truth.kind === 'classes' ? confusionOf(truth.classes, classes, outputs.classes) : {}),
  };
}

function truthOf({ network, images, opened }: Evaluated, name: string, output: number): Truth | undefined {
  const { dataset, count } = images;
  const width = elementCount(outputShape(network, output));
  if (opened.reconstructs?.includes(name) === true) {
    const size = elementCount(dataset.shape);
    if (size !== width) fail('data/target-mismatch', { name, targets: size, outputs: width });
    return { kind: 'numbers', numbers: readInputs(images) };
  }
  if (dataset.named?.names.includes(name) !== true) return undefined;
  const { classes, numbers } = labelsOfOutput(dataset, name, width);
  if (numbers === undefined) return { kind: 'classes', classes: classes.subarray(0, count) };
  return { kind: 'numbers', numbers: Float64Array.from(numbers.values.subarray(0, count * width)) };
}
