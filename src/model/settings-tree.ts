import { codingLayerSettings, codings } from './codings.js';
import type { Parameter, Setting as SettingRow } from './schema.js';
import { bitSettings, bitSettingsOfLayers, hardwareSettings, normalizeSetting, trainSettings } from './settings.js';

export type SettingRows = readonly (Parameter & Partial<SettingRow>)[];

/** What stands in a block of settings. */
export interface SettingBlock {
  readonly rows: SettingRows;
  /** What stands in its `layer "…" { … }`, where it may have one. */
  readonly ofLayers?: SettingRows;
}

const any = { kind: 'any' } as const;

/** The settings of a config. What `network` and `neuron` may be depends on the file. */
export const configBlock: SettingBlock = {
  rows: [
    { name: 'network', spec: any, required: true, doc: 'a network of the file, or `onnx("file.onnx")`' },
    { name: 'neuron', spec: { kind: 'neuron' }, doc: 'of every `spike` that names none itself' },
    {
      name: 'coding',
      doc: 'how values become spikes, and over how many steps',
      spec: { kind: 'choice', of: codings },
    },
    normalizeSetting,
    { name: 'train', spec: any, doc: 'how it is trained' },
    { name: 'bits', spec: any, doc: 'bits of weights, spikes and steps, fixed or learned' },
    { name: 'hardware', spec: any, doc: 'energies in pJ' },
  ],
};

const inner: Readonly<Record<string, SettingBlock>> = {
  train: { rows: trainSettings },
  bits: { rows: bitSettings, ofLayers: bitSettingsOfLayers },
  hardware: { rows: hardwareSettings },
  coding: { rows: [], ofLayers: Object.values(codingLayerSettings).flat() },
};

/** The block behind a setting of a block: of `train` in a config, of `layer "…"` in `bits`. */
export function innerBlock(block: SettingBlock, name: string): SettingBlock | undefined {
  if (name === 'layer') return block.ofLayers && { rows: block.ofLayers };
  return block === configBlock && Object.hasOwn(inner, name) ? inner[name] : undefined;
}
