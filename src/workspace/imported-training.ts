import { fail } from '../base/diagnostics/index.js';
import type { Config } from '../model/index.js';
import { folderOf, join } from '../model/paths.js';
import { type Network, type Param, fixedParamsOf, realValues } from '../network/index.js';
import { checkPatterns, conversionPlan, convertNetwork } from './conversion.js';
import type { Findings } from './findings.js';
import { nameBeside } from './model-copies.js';
import { type Source, sourceOf } from './target.js';

/** A config's ONNX network as it is trained: converted to spikes, every weight a 32-bit real. */
export interface ImportedForTraining {
  readonly network: Network;
  /** The ONNX file and its external data, as they lie beside a copy of the model file; nothing from outside of its folder. */
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** Converts the ONNX network of a config, whose neurons have a surrogate; `path` is the model file's. */
export function importedForTraining(
  config: Config,
  path: string,
  findings: Findings,
  source: Source = sourceOf(config, findings),
): ImportedForTraining {
  const imported = source.imported.network;
  const [, second] = imported.outputs;
  if (second !== undefined) {
    const problem = `a training compares one output, and the ONNX network has ${imported.outputs.length}`;
    const help = 'name the one that is trained: `network onnx("net.onnx", output: "logits")`';
    fail('model/conflict', { problem }, config.network.place, { help });
  }
  const plan = conversionPlan(config, findings, { network: imported });
  const { network } = convertNetwork(imported, plan, findings);
  findings.take({ value: network, diagnostics: checkPatterns(config, network) });
  const named = [...source.external].map(
    ([location, bytes]) => [join(folderOf(source.path), location), bytes] as const,
  );
  const files = [[source.path, source.bytes] as const, ...named].flatMap(([file, bytes]) => {
    const name = nameBeside(path, join('.', file));
    return name === undefined ? [] : [[name, bytes] as const];
  });
  return { network: withRealWeights(network), files: new Map(files) };
}

/**
 * Weights as training moves them: 32-bit reals, those that a file holds as codes too, each called by its layer. What no training moves
 * and what several layers share stays as it is called.
 */
function withRealWeights(network: Network): Network {
  const uses = network.ops.flatMap((op) =>
    Object.entries(op.params).map(([role, name]) => ({
      name,
      own: `${op.id}.${role}`,
      fixed: fixedParamsOf(op).includes(role),
    })),
  );
  const fixed = new Set(uses.flatMap((use) => (use.fixed ? [use.name] : [])));
  const owned = new Map<string, string>();
  for (const { name, own } of uses) owned.set(name, owned.has(name) ? name : own);
  const kept = new Set([...owned].flatMap(([name, own]) => (name === own ? [name] : [])));
  for (const [name, own] of owned) if (kept.has(own)) owned.set(name, name);
  const ops = network.ops.map((op) => ({
    ...op,
    params: Object.fromEntries(Object.entries(op.params).map(([role, name]) => [role, owned.get(name)!])),
  }));
  const params = [...network.params].map(([name, param]): readonly [string, Param] => [
    owned.get(name) ?? name,
    fixed.has(name)
      ? param
      : { tensor: { dtype: 'f32', shape: param.tensor.shape, data: Float32Array.from(realValues(param)) } },
  ]);
  return { ...network, ops, params: new Map(params) };
}
