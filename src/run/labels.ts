import { type Diagnostic, diagnostic, fail } from '../base/diagnostics/index.js';
import type { Images, Truth } from './metrics/index.js';

/** What an accuracy on such labels is worth. */
export function remarksOn(truth: Truth, { dataset, count }: Images): readonly Diagnostic[] {
  if (truth.kind !== 'classes' || dataset.labelled === false || count < 2) return [];
  const [label = 0] = truth.classes;
  if (truth.classes.some((one) => one !== label)) return [];
  return [diagnostic('data/one-class', { name: dataset.name, label, images: count })];
}

/**
 * Numbers are compared with the network's outputs: not with those in front of an activation that was left out, and not
 * stage by stage.
 */
export function refuseNumbers(dropped: string | undefined, name: string, stages: boolean): void {
  if (dropped !== undefined) {
    const help = `the file ends in ${dropped}, which the imported network leaves out: its outputs are what stands in front`;
    fail('data/not-classes', { name }, undefined, { help });
  }
  if (stages)
    fail('data/not-classes', { name }, undefined, { help: '`--stages` compares predicted classes: leave it out' });
}
