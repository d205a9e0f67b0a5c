import { fail } from '../base/diagnostics/index.js';
import { encodeSafetensors } from '../base/safetensors.js';
import { Unsupported, layeredModel, loweredModel } from '../backends/torch/index.js';
import { lower, mostUnrolledSteps, unrolledSteps } from '../lower/program/index.js';
import { type Network, paramsToTensors } from '../network/index.js';

/** Files of a PyTorch program by name. Nothing here needs Node. */
export type Files = Map<string, string | Uint8Array>;

/**
 * A network in PyTorch, to infer or to be trained by a loop of one's own: `network`, before its passes, as modules where each of
 * its layers has such a form, else `compiled` op by op. `layers` is the text of `layers.py`. A conversion has no `network`.
 */
export function networkFiles(
  { network, compiled, config }: { readonly network?: Network; readonly compiled: Network; readonly config: string },
  layers: string,
): Files {
  const files: Files = new Map();
  const why = network === undefined ? undefined : layered(network, files);
  if (network === undefined || why !== undefined) lowered(compiled, files, why);
  files.set('layers.py', layers);
  return files.set('README.md', readme(config, files));
}

/** The network layer by layer; what stands in the way of that, where something does. */
export function layered(network: Network, files: Files): Unsupported | undefined {
  try {
    const { text } = layeredModel(network);
    files.set('model.py', text);
    files.set('weights.safetensors', encodeSafetensors(paramsToTensors(network.params)));
    return undefined;
  } catch (error) {
    if (error instanceof Unsupported) return error;
    throw error;
  }
}

export function lowered(network: Network, files: Files, why: Unsupported | undefined): void {
  if (unrolledSteps(network) > mostUnrolledSteps)
    fail('torch/unsupported', { layer: why?.op.id ?? network.name, construct: why?.construct ?? 'so many time steps' });
  const { text, weights } = loweredModel(network, lower(network));
  files.set('model.py', text);
  files.set('weights.safetensors', encodeSafetensors(weights));
}

export function readme(config: string, files: Files): string {
  const trains = files.has('train.py');
  return `# ${config.replace(/[^\w .-]+/g, ' ')} in PyTorch

Written by spikec. Needs PyTorch 2.4 or newer and safetensors: \`pip install torch safetensors\`.

\`\`\`python
from model import Network
from safetensors.torch import load_file

network = Network()
network.load_state_dict(load_file("weights.safetensors"))
network.eval()
\`\`\`
${
  trains
    ? `
\`\`\`console
$ python train.py --data-dir DATA -o run
$ torchrun --nproc-per-node 8 train.py --data-dir DATA -o run
$ spikec eval run --data mnist:test
\`\`\`

\`python train.py --help\` lists what there is: \`--resume\`, \`--compile\`, \`--amp\`, \`--accumulate\`, \`--fsdp\`. The run folder is one
of spikec's.
`
    : `
The network infers; it is written op by op, as it was lowered.
`
}`;
}
