import type { Network } from '../network/index.js';
import type { Program } from '../tensor/index.js';
import { diffNetworks } from './compare.js';
import { counterpartsOf, layersSideBySide, sideBySide } from './cost-sides.js';
import type { DiffView } from './present.js';
import { programText, renamedValues } from './program-lines.js';
import { type ProgramHunk, diffPrograms } from './program-text.js';

/** What is compared: a network, its costs and, where they are compared too, its program. */
export interface DiffSide {
  readonly network: Network;
  /** `FILE#CONFIG` */
  readonly name: string;
  readonly cost: { readonly total: object; readonly layers: readonly ({ readonly id: string } & object)[] };
  readonly program?: Program;
}

export interface DiffResult {
  readonly view: DiffView;
  readonly identical: boolean;
  /** Where programs were compared: what differs between them. */
  readonly program?: readonly ProgramHunk[];
}

/** What differs between two networks, between their costs, and between their programs where both sides have one. */
export function diffSides(from: DiffSide, to: DiffSide): DiffResult {
  const diff = diffNetworks(from.network, to.network);
  const view: DiffView = {
    from: from.name,
    to: to.name,
    diff,
    cost: sideBySide({ ...from.cost.total }, { ...to.cost.total }),
    cost_layers: layersSideBySide(plain(from.cost.layers), plain(to.cost.layers), diff),
  };
  if (from.program === undefined || to.program === undefined) return { view, identical: diff.identical };
  const names = new Map(diff.renamed.map((pair) => [pair.from, pair.to]));
  const program = diffPrograms(
    programText(renamedValues(from.program, names)),
    programText(to.program),
    counterpartsOf(diff),
  );
  return { view, program, identical: program.length === 0 && diff.weights.every(({ equal }) => equal) };
}

function plain<T extends { readonly id: string }>(layers: readonly T[]): readonly (T & Record<string, unknown>)[] {
  return layers.map((layer) => ({ ...layer }));
}
