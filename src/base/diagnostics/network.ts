import { define } from './define.js';

export const networkDiagnostics = {
  'network/ir-syntax': define<{ problem: string }>(
    'error',
    ({ problem }) => problem,
    'A file in the text form of the Network IR couldn’t be read. The place shows the first token that doesn’t fit; the form of each line is described in `docs/network-ir.md`. The weights of its parameters must lie beside it in `weights.safetensors`, with the same types.',
  ),
  'network/invalid': define<{ what: string; message: string }>(
    'error',
    ({ what, message }) => `${what} ${message}`,
    'The network is well-formed text but not a valid network: an id is missing or used twice, an attribute is missing, a type doesn’t follow from the types before it, learned bits or steps have no bound, a neuron’s equations name what it doesn’t have, or a number is none that it can be: bits outside of 1 … 16, a learned number or a step size that is NaN. The message names the op and the attribute or parameter, or both sides of the disagreement.',
  ),
  'network/not-runnable': define<{ reason: string }>(
    'error',
    ({ reason }) => `the network can't be run: ${reason}`,
    'A network is valid, but of a coding that is checked and compiled no further, or of none that spikec knows: there is nothing that could carry its trains. Choose another coding (`docs/language.md`).',
  ),
  'network/not-finite': define<{ value: number }>(
    'error',
    ({ value }) => `the network gives ${value} on these images, so nothing can be measured`,
    'Logits or counts of spikes are infinite or no numbers: predictions, accuracies and energies made of them would mean nothing. Weights may have diverged in training (train with a lower rate, or look at the loss in `log.jsonl`), ranges of a conversion or weights of a file may be far too large, or a number of `--std` nearly 0.',
  ),
  'network/counts-rounded': define<{ op: string; kind: string; most: number }>(
    'warning',
    ({ op, kind, most }) =>
      `counts of ${kind} %${op} may reach ${most.toLocaleString('en')}; float32 rounds beyond 2²⁴`,
    'Products and sums of two trains, and means of one, count in whole numbers: a matrix product as far as levels · levels · length of its sums, a mean as far as levels · values. Up to 2²⁴ = 16,777,216 float32 has them all, and the counts are a train of spikes themselves. Beyond it engines may round them, each in its own order, so counts of products and sums are real values: a layer that reads them multiplies, and `--planes` refuses it. Give the spikes fewer bits (`bits { spikes … }`), or more heads, whose sums are shorter. It is said of model files, of compiled and run folders and of NIR files; C computes sums beyond 2³¹ in floating point and says so.',
  ),
  'network/weights-outside': define<{ path: string }>(
    'error',
    ({ path }) => `"${path}" is a link that leads out of its folder`,
    'The weights of a network in text form are read from `weights.safetensors` in the folder of its `.ir` file, and from nowhere else, so that a folder from somebody else can’t read your files. Copy the weights to where the link stands.',
  ),
} as const;
