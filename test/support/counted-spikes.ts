import { lower, outputNames } from '../../src/lower/program/index.js';
import type { Network } from '../../src/network/index.js';
import { SpikeCounter } from '../../src/run/metrics/index.js';
import { evaluate } from '../../src/tensor/index.js';
import { forwardFeeds } from './train.js';

/** Runs a network on drawn samples: its counted spikes, what it was fed and what it gives. */
export function countedSpikes(network: Network, samples: number) {
  const counter = new SpikeCounter(network);
  const counted = new Set(counter.ids);
  const lowered = lower(network, { probes: { trains: (id) => counted.has(id) } });
  const { labels: _labels, ...feeds } = forwardFeeds(lowered, samples);
  const results = evaluate(lowered.program, feeds);
  counter.add((id) => results[outputNames.train(id)]!);
  return { counter, results, feeds };
}
