import { DiagnosticError } from '../../src/base/diagnostics/index.js';
import { present } from '../../src/base/invariant.js';
import { costOf } from '../../src/cost/index.js';
import { diffNetworks, presentDiff } from '../../src/diff/index.js';
import { printNetwork } from '../../src/network/index.js';
import { diffPage } from '../../src/report/diff/page.js';
import { renderPlot, renderReport } from '../../src/report/index.js';
import { membranesPlot, rasterPlot, trainingPlot } from '../../src/report/plots/index.js';
import { compare } from './compare.js';
import { type CompiledConfig, type Files, checked, compiled } from './compile.js';
import { type DownloadTools, type Hdf5InMemory, downloadOf } from './downloads.js';
import type { ConfigsAnswer, CostAnswer, IrAnswer, Reply, Request, Weights } from './messages.js';
import { describe, wordsOf } from './words.js';

/** The texts of the standard library, and the version: `pack.mjs` puts them in. */
declare const spikecLibrary: Readonly<Record<string, string>>;
declare const spikecVersion: string;
declare const spikecLayers: string;

const scope = globalThis as unknown as {
  postMessage(message: Reply): void;
  addEventListener(kind: 'message', listener: (event: { data: Request }) => void): void;
  importScripts(name: string): void;
  /** What `hdf5.js` gives. */
  readonly spikecHdf5?: Promise<Hdf5InMemory>;
};
const onnx = new Map<string, Uint8Array>();
const tools: DownloadTools = {
  layers: spikecLayers,
  hdf5() {
    if (scope.spikecHdf5 === undefined) scope.importScripts('hdf5.js');
    return present(scope.spikecHdf5, 'playground: hdf5.js gives nothing');
  },
};
const files: Files = { library: spikecLibrary, onnx };

scope.addEventListener('message', ({ data: request }) => {
  void answer(request).then(
    (value) => scope.postMessage({ id: request.id, answer: value }),
    (error: unknown) => scope.postMessage({ id: request.id, problems: wordsOf(error) }),
  );
});

async function answer(request: Request): Promise<unknown> {
  switch (request.ask) {
    case 'file':
      onnx.set(request.name, request.bytes);
      return undefined;
    case 'configs':
      return configsOf(request.text);
    case 'ir':
      return irOf(configOf(request.text, request.config), request.pass);
    case 'cost':
      return costTable(configOf(request.text, request.config));
    case 'diff':
      return diffOf(configOf(request.text, request.from), configOf(request.text, request.to));
    case 'report':
      return reportOf(configOf(request.text, request.config));
    case 'download':
      return downloadOf(request.kind, configOf(request.text, request.config, request.weights), tools);
    case 'curves':
      return renderPlot(trainingPlot(request.records));
    case 'raster':
      return renderPlot(rasterPlot(request.layers, { most: 24 }));
    case 'membranes':
      return renderPlot(membranesPlot(request.layer));
    case 'compare': {
      const progress = (text: string): void => scope.postMessage({ id: request.id, progress: text });
      return compare(configOf(request.text, request.config), request.digits, progress);
    }
  }
}

function configsOf(text: string): ConfigsAnswer {
  const { value, diagnostics } = checked(text, files);
  return { configs: [...(value?.configs.keys() ?? [])], problems: diagnostics.map(describe) };
}

function configOf(text: string, name: string, weights?: Weights): CompiledConfig {
  const { value: model, diagnostics } = checked(text, files);
  const config = model?.configs.get(name);
  if (config === undefined) throw new DiagnosticError(diagnostics);
  const result = compiled(config, files, weights);
  if (result.value === undefined) throw new DiagnosticError(result.diagnostics);
  return result.value;
}

function irOf({ source, network, runs }: CompiledConfig, pass: string | undefined): IrAnswer {
  const passes = ['before the passes', ...runs.map((run) => run.pass)];
  const at = pass === passes[0] ? source : (runs.findLast((run) => run.pass === pass)?.network ?? network);
  return { passes, ir: printNetwork(at) };
}

function costTable({ network }: CompiledConfig): CostAnswer {
  const { layers, total } = costOf(network);
  const number = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 2 });
  const row = (
    name: string,
    kind: string,
    one: Omit<(typeof layers)[number], 'id' | 'kind' | 'input' | 'ann_bits'>,
  ): string[] => [
    name,
    kind,
    number(one.macs),
    number(one.params),
    number(one.weight_bits),
    number(one.spike_bits),
    number(one.steps),
    number(one.s_ace),
  ];
  return {
    head: ['layer', 'kind', 'MACs', 'parameters', 'W', 'S', 'T', 'S-ACE'],
    rows: [
      ...layers.map((layer) => row(layer.id, layer.kind, layer)),
      [
        'total',
        '',
        number(total.macs),
        number(total.params),
        number(total.weight_bits),
        number(total.spike_bits),
        '',
        number(total.s_ace),
      ],
    ],
    latency: total.latency_steps,
  };
}

function diffOf(from: CompiledConfig, to: CompiledConfig): string {
  const diff = diffNetworks(from.network, to.network);
  const [before, after] = [costOf(from.network).total, costOf(to.network).total];
  const cost = Object.fromEntries(
    Object.entries(before).map(([key, value]) => [key, { from: value, to: after[key as keyof typeof after] }]),
  );
  const view = { from: from.name, to: to.name, diff, cost, cost_layers: [] };
  return diffPage([presentDiff(view as Parameters<typeof presentDiff>[0], { full: false })], spikecVersion);
}

function reportOf({ name, network }: CompiledConfig): Promise<string> {
  const target = { name, source: `model.spike#${name}`, network, cost: costOf(network) };
  return renderReport({ title: name, version: spikecVersion, targets: [target] });
}
