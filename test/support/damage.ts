import fc from 'fast-check';
import { DiagnosticError } from '../../src/base/diagnostics/index.js';
import { tensor } from '../../src/base/dtype.js';
import { costOf } from '../../src/cost/index.js';
import { forInference } from '../../src/workspace/compiled.js';
import { lower } from '../../src/lower/program/index.js';
import { checkRuns } from '../../src/run/runnable.js';
import { Findings } from '../../src/workspace/findings.js';
import { type Network, type Param, parseNetwork, printNetwork } from '../../src/network/index.js';
import { networkFrom } from './train.js';

/** A network whose weights, spikes and steps learn their bits. */
export function learningNetwork(): Network {
  return networkFrom(`
    use "spikec/neurons" { Refined }
    network Learning {
      input image: real[1, 8, 8]
      coded = image | spike
      first = coded | conv(4, kernel: 3) | batchnorm | spike
      output first | avgpool(2) | flatten | linear(3)
    }
    config learning {
      network Learning  neuron Refined  coding direct(steps: 1)
      bits {
        weights learn(init: 2.6, max: 6, target: 2)
        spikes learn(init: 2.1, max: 6, target: 2)
        steps learn(init: 1.8, max: 3, target: 1)
      }
    }`);
}

/** A network whose neuron learns a parameter `bits` of its own, without a bound: only a text can say that. */
export function ownBitsNetwork(): Network {
  const { params, ...network } = networkFrom(`
    neuron Own(depth = learn(3)) {
      state u = 0
      charge u = u + x
      fire s = clip(floor(u), 0, 2 ^ depth - 1)
      reset u = u - s
      surrogate ste(lo: 0, hi: 7)
    }
    network N { input image: real[1, 8, 8]  output image | spike | flatten | linear(3) }
    config own { network N  neuron Own  coding direct(steps: 2) }`);
  const text = printNetwork({ params, ...network }).replaceAll('depth', 'bits');
  const renamed = new Map([...params].map(([name, param]) => [name.replace('depth', 'bits'), param]));
  return parseNetwork({ name: 'network.ir', text }, renamed).value!;
}

/** The learning network with its bits fixed. */
export function fixedNetwork(): Network {
  return forInference(learningNetwork(), new Findings()).network;
}

/** The network's parameters with all values of one changed. */
export function withValues(network: Network, name: string, value: number): ReadonlyMap<string, Param> {
  const { dtype, shape, data } = network.params.get(name)!.tensor;
  const values = Array.from(data, () => value);
  return new Map(network.params).set(name, { tensor: tensor(dtype, shape, values) });
}

/** One attribute or role in the text of a network: where it stands, with the comma that goes with it. */
interface Entry {
  readonly start: number;
  readonly end: number;
  readonly value: number;
}

/** All entries of the braces and parentheses behind ops. */
function entriesOf(text: string): readonly Entry[] {
  const entries: Entry[] = [];
  for (const { 0: list, index } of text.matchAll(/(?<=^ {2}%.*)[{(][^{}()]*[})](?=.* : )/gm)) {
    for (const match of list.matchAll(/([\w.]+)=(\[[^\]]*\]|[^,)}]+)(, )?/g)) {
      const start = index + match.index;
      entries.push({ start, end: start + match[0].length, value: start + match[1]!.length + 1 });
    }
  }
  return entries;
}

const values = [
  ...['0', '-1', '1', '2.5', '3', '17', '40', '2000000000', '1e300', 'NaN', 'Infinity', '-Infinity'],
  ...['abc', 'true', '[]', '[1, 2]', '[1, NaN, 3, -4]'],
];

/** The text with something else put for one entry's value, or without the entry. */
function damaged(text: string, { start, end, value }: Entry, put: string | undefined): string {
  if (put === undefined) return text.slice(0, start) + text.slice(end);
  return text.slice(0, value) + put + (text.slice(start, end).endsWith(', ') ? ', ' : '') + text.slice(end);
}

/** The text of a network with one attribute or role removed or changed. */
export function damagedText(network: Network): fc.Arbitrary<string> {
  const text = printNetwork(network);
  return fc
    .tuple(fc.constantFrom(...entriesOf(text)), fc.constantFrom(undefined, ...values))
    .map(([entry, put]) => damaged(text, entry, put));
}

/** Reads a text and does what commands do before they run a network; whatever it holds must end in diagnostics. */
export function useText(text: string, weights: ReadonlyMap<string, Param>): readonly string[] {
  const { value, diagnostics } = parseNetwork({ name: 'network.ir', text }, weights);
  if (value === undefined) return diagnostics.map(({ code }) => code);
  try {
    const { network } = forInference(value, new Findings());
    costOf(network);
    printNetwork(network);
    checkRuns(network, 'network.ir');
    lower(network);
    return [];
  } catch (error) {
    if (error instanceof DiagnosticError) return error.diagnostics.map(({ code }) => code);
    throw error;
  }
}
