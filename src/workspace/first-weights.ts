import { diagnostic, fail } from '../base/diagnostics/index.js';
import type { Network } from '../network/index.js';
import type { Findings } from './findings.js';
import { readFolder } from './run-folder.js';

/** The network with the weights of a run or compiled folder, where names and shapes are the same. */
export function weightsFrom(folder: string, network: Network, findings: Findings): Network {
  const there = readFolder(folder, findings).network.params;
  const taken = new Map(
    [...network.params].flatMap(([name, param]) => {
      const other = there.get(name);
      const fits = other?.quant === undefined && sameShape(other?.tensor.shape, param.tensor.shape);
      return other !== undefined && fits ? [[name, { ...param, tensor: other.tensor }] as const] : [];
    }),
  );
  if (taken.size === 0) fail('train/no-weights-taken', { folder });
  const left = [...network.params.keys()].filter((name) => !taken.has(name));
  findings.all.push(diagnostic('train/weights-taken', { folder, taken: taken.size, left }));
  return { ...network, params: new Map([...network.params, ...taken]) };
}

function sameShape(a: readonly number[] | undefined, b: readonly number[]): boolean {
  return a !== undefined && a.length === b.length && a.every((n, i) => n === b[i]);
}
