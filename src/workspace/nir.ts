import { basename } from 'node:path';
import { isFolder, readBytes } from '../data/index.js';
import { loadNir, readNir } from '../data/nir.js';
import { importNir, parseTime } from '../frontends/nir/index.js';
import { countProblems } from '../network/index.js';
import type { Findings } from './findings.js';
import { inferencePlanOf } from './planes.js';
import type { Artifact, Target } from './types.js';

/** Whether a target is a NIR file. */
export function isNir({ path }: Target): boolean {
  return path.endsWith('.nir') && !isFolder(path);
}

/** Loads what opening these targets, or writing these artifacts, needs beside spikec itself. */
export async function prepare(targets: readonly Target[], emit: readonly Artifact[] = []): Promise<void> {
  if (targets.some(isNir) || emit.includes('nir')) await loadNir();
}

/** A NIR file: `NET.nir`, or `NET.nir#steps=N,dt=SECONDS,coding=direct`. */
export function openNir({ path, config }: Target, findings: Findings) {
  const said = parseTime(config);
  // says what is wrong with the path, before HDF5 does
  const bytes = readBytes(path);
  const name = basename(path).replace(/\.nir$/, '');
  const { network, notes } = importNir(readNir(path), said, { name, path });
  findings.all.push(...notes, ...countProblems(network, { file: path }));
  return {
    network,
    config: name,
    label: name,
    normalisation: {},
    sources: new Map([[basename(path), bytes]]),
    inputs: [path],
    passPlan: () => inferencePlanOf(network),
  };
}
