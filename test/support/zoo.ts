import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { lowerModel } from '../../src/lower/model-to-network/index.js';
import { type Config, checkModel } from '../../src/model/index.js';
import type { Network } from '../../src/network/index.js';
import { diskLoader } from '../../src/workspace/files.js';

const root = resolve(import.meta.dirname, '../../models');

export interface ZooConfig {
  /** `multibit/resnet20.spike#mb21` */
  readonly name: string;
  /** No configuration of the file before it has the same network: its weights are worth looking at. */
  readonly first: boolean;
  /** Builds it with initial weights, or, where they are not looked at, with zeros, which takes no time. */
  readonly network: (options?: { readonly blank: boolean }) => Network;
}

/** Every configuration of every file in `models/`. */
export function zoo(): readonly ZooConfig[] {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.spike'));
  return files.sort().flatMap((file) => {
    const path = join(root, file);
    const { value: model, diagnostics } = checkModel(
      { name: path, text: readFileSync(path, 'utf8') },
      diskLoader(path, dirname(path) !== root),
    );
    if (model === undefined) throw new Error(`${file}: ${diagnostics.map((d) => d.message).join('; ')}`);
    const seen = new Set<string>();
    const isFirst = ({ network }: Config): boolean => {
      const key = network.kind === 'network' ? JSON.stringify(network.layers.map(({ id, shape }) => [id, shape])) : '';
      return !seen.has(key) && seen.add(key) !== undefined;
    };
    return [...model.configs.values()].map((config) => ({
      first: isFirst(config),
      name: `${relative(root, path)}#${config.name}`,
      network: (options = { blank: false }) => {
        const { value, diagnostics: said } = lowerModel(config, options);
        if (value === undefined) throw new Error(`${file}#${config.name}: ${said.map((d) => d.message).join('; ')}`);
        return value;
      },
    }));
  });
}
