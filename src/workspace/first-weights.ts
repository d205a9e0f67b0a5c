import { diagnostic, fail } from '../base/diagnostics/index.js';
import type { Network } from '../network/index.js';
import type { Findings } from './findings.js';
import { isNir, openNir } from './nir.js';
import { readFolder } from './run-folder.js';

/** The network with the weights of a run, a compiled folder or a NIR file, where names and shapes are the same; as it is without one. */
export function weightsFrom(folder: string | undefined, network: Network, findings: Findings): Network {
  if (folder === undefined) return network;
  const there = paramsOf(folder, findings);
  const taken = new Map(
    [...network.params].flatMap(([name, param]) => {
      const other = there.get(name) ?? there.get(nameInNir(name));
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

function paramsOf(path: string, findings: Findings): Network['params'] {
  const said = { path };
  return (isNir(said) ? openNir(said, findings) : readFolder(path, findings)).network.params;
}

/** A parameter's name behind a layer's id, as nodes of NIR files have it: without dots and slashes. */
function nameInNir(name: string): string {
  const end = name.lastIndexOf('.');
  return `${name.slice(0, end).replace(/[/.]/g, '_')}${name.slice(end)}`;
}
