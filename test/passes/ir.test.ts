import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { hasErrors } from '../../src/base/diagnostics/index.js';
import { type DType, tensor } from '../../src/base/dtype.js';
import { printNeuron } from '../../src/equations/index.js';
import { type Network, type Param, parseNetwork, printNetwork } from '../../src/network/index.js';
import { parsePasses, passes, runPipeline } from '../../src/passes/index.js';
import { surroundings } from '../support/sws.js';

/*
 * A file is one case: `// RULE`, `// passes: LIST`, the neuron types of the standard library that the network has and the
 * values of its weights, the network; behind `// gives` what the passes report and leave, in the same form.
 * UPDATE_GOLDEN=1 writes that part; read it before it is committed.
 */
const folder = join(import.meta.dirname, 'ir');
const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ir'));
const gives = '// gives\n';

const heading = (text: string, name: string): string | undefined =>
  new RegExp(String.raw`^// ${name}: (.*)$`, 'm').exec(text)?.[1];

/** The network of a case: its text has no neuron types, which the standard library gives, and no values of weights. */
function networkOf(file: string, text: string): Network {
  const types = heading(text, 'neurons')?.split(', ') ?? [];
  const neurons = types.map((name) => printNeuron(surroundings.neurons.get(name)!));
  const [first = '', ...rest] = text.split('\n').filter((line) => !line.startsWith('//'));
  const source = { name: file, text: [first, ...neurons, ...rest].join('\n') };
  const { value, diagnostics } = parseNetwork(source, weightsOf(text));
  expect(diagnostics).toEqual([]);
  return value!;
}

/** `// weight NAME: VALUES [scale VALUES zero VALUES]`, with the type and the shape that the network declares. */
function weightsOf(text: string): ReadonlyMap<string, Param> {
  const declared = [...text.matchAll(/^ {2}param (\S+) : (\w+)\[([\d,]*)\](?: quant\(axis=(\d)\))?/gm)];
  return new Map(
    declared.map(([, name = '', dtype, shape, axis]) => {
      const [values = '', scale, zero] = heading(text, `weight ${name}`)!.split(/ scale | zero /);
      const numbers = (list: string): number[] => list.split(' ').map(Number);
      const dims = shape === '' ? [] : shape!.split(',').map(Number);
      const quant =
        scale === undefined ? {} : { quant: { scale: numbers(scale), zero: numbers(zero!), axis: Number(axis) } };
      return [name, { tensor: tensor(dtype as DType, dims, numbers(values)), ...quant }] as const;
    }),
  );
}

/** What a case gives, in the form that it is written in. */
function shown(network: Network): string {
  const list = (values: ArrayLike<number>): string =>
    Array.from(values, (value) => String(Number(value.toPrecision(7)))).join(' ');
  const weights = [...network.params].map(
    ([
      name,
      {
        tensor: { data },
        quant,
      },
    ]) => {
      const scales = quant === undefined ? '' : ` scale ${list(quant.scale)} zero ${list(quant.zero)}`;
      return `// weight ${name}: ${list(data)}${scales}\n`;
    },
  );
  const types = [...network.neurons.keys()].join(', ');
  const text = printNetwork({ ...network, neurons: new Map() });
  const lines = text.split('\n').map((line) => line.replaceAll(/(?<=\S) {2,}/g, ' ').replace(/ ;.*/, ''));
  return `${types === '' ? '' : `// neurons: ${types}\n`}${weights.join('')}${lines.join('\n')}`;
}

it.each(files.sort())('%s', (file) => {
  const path = join(folder, file);
  const [input = '', expected] = readFileSync(path, 'utf8').split(gives);
  const list = heading(input, 'passes')!;
  const { value: configured = [], diagnostics } = parsePasses({ name: file, text: list });
  expect(diagnostics).toEqual([]);
  const found = runPipeline(networkOf(file, input), configured, surroundings);
  const reports = found.diagnostics.map(({ code, message, help }) => {
    return `// reports ${code}: ${message}\n${help === undefined ? '' : `//   help: ${help}\n`}`;
  });
  const text = `${reports.join('')}${found.network === undefined ? '' : shown(found.network)}`;
  if (process.env['UPDATE_GOLDEN'] === '1') return writeFileSync(path, `${input}${gives}${text}`);
  expect(text).toBe(expected);
});

it('every pass has a case, in a folder of its name', () => {
  const folders = new Set(files.map((file) => file.split(/[/\\]/)[0]));
  expect(passes.map(({ name }) => name).filter((name) => !folders.has(name))).toEqual([]);
  expect(folders.size).toBe(passes.length);
});

it('a pass on a network of another pipeline leaves a valid one or says why not', () => {
  const given: Readonly<Record<string, string>> = {
    'insert-neurons': '{neuron=IF(start=0.5), steps=4}',
    'allocate-bits': '{budget=1e9, choices{"a": [[2, 4, 1], [4, 8, 0]]}}',
    'quantise-weights': '{bits=3}',
  };
  for (const file of files) {
    const network = networkOf(file, readFileSync(join(folder, file), 'utf8').split(gives)[0]!);
    for (const { name } of passes) {
      const { value } = parsePasses({ name: file, text: `${name}${given[name] ?? ''}` });
      // throws where the result isn't valid
      const { network: left, diagnostics } = runPipeline(network, value!, surroundings);
      expect(left !== undefined || hasErrors(diagnostics), `${name} on ${file}`).toBe(true);
    }
  }
});
