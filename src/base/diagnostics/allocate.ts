import { define } from './define.js';

export const allocateDiagnostics = {
  'allocate/budget': define<{ budget: string; least: string }>(
    'error',
    ({ budget, least }) => `the budget of ${budget} can’t be met: the smallest possible is ${least}`,
    'Every layer has at least as many bits as `--least` says (2 where it isn’t given). With that everywhere, the network still costs more than the budget. Give a larger budget, or allow fewer bits with `--least 1`.\n\n`--bytes` counts what `spikec cost` counts: all parameters of weighted layers, biases with the bits of their weights.',
  ),
  'allocate/greedy': define(
    'note',
    () => 'the allocation was found greedily: another within the budget may have a smaller sum of errors',
    'The exact search keeps every partial sum of costs and errors that may still lead to the best allocation. Here there are too many, so steps with the most gain for their cost were taken until the budget was full. A narrower range (`--least`, `--most`) makes the search smaller.',
  ),
  'allocate/latency': define<{ latency: number; least: number }>(
    'error',
    ({ latency, least }) => `a latency of ${latency} steps can’t be met: the smallest possible is ${least}`,
    'The latency is Tc steps and the silent periods along the longest path. Without any silent period it is Tc: the length of the trains.',
  ),
  'allocate/bound': define<{ bound: string; best: string }>(
    'error',
    ({ bound, best }) => `${bound} can’t be met on these images: the best is ${best}`,
    'With `--silent` the periods tried are 0 to `--most` steps a layer. With the longest of them everywhere, the spiking network still misses the bound on the calibration images. Allow longer periods, or ask for less; with silent periods of Tc steps (and `encoder: exact`) a conversion is exact. With `--codings` no coding that was named holds all bounds, with any of the steps that are tried of it; the nearest is named.',
  ),
  'allocate/nothing': define<{ what: string }>(
    'error',
    ({ what }) => `there is nothing to allocate: ${what}`,
    'Bits are allocated to the weights of convolutions and linear layers; silent periods to the neurons of a conversion with `coding sws(…)`.',
  ),
  'allocate/range': define<{ what: string; least: number; most: number }>(
    'error',
    ({ what, least, most }) => `the fewest ${what} (${least}) are more than the most (${most})`,
    '`--least` and `--most` say which bits, or which silent periods, a layer may have.',
  ),
  'allocate/silent-period': define<{ asked: number; steps: number }>(
    'error',
    ({ asked, steps }) => `a silent period of ${asked} steps is longer than the train of ${steps}`,
    'Trains of `coding sws(steps: Tc)` have Tc steps, and after Tc silent steps a layer knows its whole input: `--least` and `--most` are 0 to Tc with `--silent`.',
  ),
  'allocate/no-sensitivity': define<{ data: string }>(
    'error',
    ({ data }) => `on "${data}" the network’s output isn’t finite, so errors can’t be compared`,
    'Sensitivities are errors of the network’s output on the calibration images. Use images of the kind the network was trained on, with its `--mean` and `--std`.',
  ),
  'allocate/import-bits': define<{ setting: string }>(
    'error',
    ({ setting }) => `${setting} says nothing for an imported network`,
    'An imported network is trained already, so its `bits { … }` holds whole numbers: `weights 4` and `layer "…" { weights 8 }` re-quantise its weights. Bits of spikes and steps follow from the coding; learned bits need a network of layers.',
  ),
} as const;
