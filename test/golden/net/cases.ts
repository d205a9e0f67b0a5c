import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { tinyImages, tinyQuantised } from '../../support/tiny-onnx.js';
import { joined, operators, real } from './networks.js';

const root = join(import.meta.dirname, '../../..');
const trained = join(root, '../shared/models');

/** A folder of files, and the targets in it whose outputs are recorded. */
export interface Case {
  readonly name: string;
  readonly files: Readonly<Record<string, string | Uint8Array>>;
  readonly targets: readonly CaseTarget[];
}

export interface CaseTarget {
  /** A file, or FILE#CONFIG. */
  readonly target: string;
  /** Its networks are kept as text; of others only hashes. */
  readonly text?: boolean;
  readonly planes?: boolean;
  /** What it is compared with. */
  readonly diff?: string;
  /** A command instead of `compile`, `cost` and `diff`, which writes to the folder `out`. */
  readonly command?: readonly string[];
  /** Made from an ONNX file: there is no training module. */
  readonly imported?: boolean;
  /** Networks and their cost alone, where programs take long. */
  readonly networksOnly?: boolean;
}

/** The files in `models/` and `examples/`, their layers made narrow. */
function own(): readonly Case[] {
  const files = ['models', 'examples'].flatMap((folder) =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.spike'))
      .map((file) => `${folder}/${file}`),
  );
  return files.sort().flatMap((file) => {
    const name = basename(file);
    const onnx = join(root, file, '../lenet5.onnx');
    const text = narrow(readFileSync(join(root, file), 'utf8'));
    const configs = [...text.matchAll(/^config (\w+)/gm)].map((match) => match[1]!);
    if (configs.length === 0) return [];
    const imported = existsSync(onnx);
    const targets = configs.flatMap((config, i): CaseTarget[] => {
      const target = `${name}#${config}`;
      const networksOnly = many.test(config) || (/resnet|spikformer/.test(file) && alike.test(config));
      const diff = i === 0 || networksOnly ? {} : { diff: `${name}#${configs[0]!}` };
      return [
        {
          target,
          text: !/resnet|spikformer|spikeyolo/.test(file),
          imported,
          networksOnly,
          ...diff,
        },
        ...planesOf(file, config, target),
      ];
    });
    return [
      {
        name: file.replace('.spike', '').replaceAll('/', '-'),
        files: { [name]: text, ...(imported ? { 'lenet5.onnx': readFileSync(onnx) } : {}) },
        targets,
      },
    ];
  });
}

/** Configurations of many steps, whose programs are long, and of those that differ from others only in where bits end. */
const many = /_t(16|64|128)$|^adaptive\d|^[apr]331|^a?441|^imagenet_(ilif|ibra4)|^[sml](_ibra)?$/;

/** Configurations whose programs differ from those of others of the same file in bits, widths and thresholds. */
const alike = /^(w16s2t4|w4s4t1|u121|u331|p121|[ra]121|a221|ibra4|base_ic|mb20|mb11|mb21|mb21_t1)$|^(imagenet|narrow)_/;

function narrow(text: string): string {
  const widths = text.replaceAll(/width: int = \d+/g, 'width: int = 4').replaceAll(/width: 16\b/g, 'width: 3');
  const tokens = widths
    .replaceAll(/dim: int = \d+,\n  blocks: int = \d+/g, 'dim: int = 24,\n  blocks: int = 1')
    .replaceAll(/dim: (64|256|512)\b/g, 'dim: 16')
    .replaceAll(/blocks: \d+/g, 'blocks: 1')
    .replaceAll(/size: 224\b/g, 'size: 32')
    .replaceAll(/size: int = 640\b/g, 'size: int = 64')
    .replaceAll(/width: (64|80|96)\b/g, 'width: 5');
  return tokens.replaceAll(/(\w+\()(64|128|256|512)\b/g, (_, head: string, n) => `${head}${Number(n) / 16}`);
}

/** Configurations whose planes are recorded too: one of each kind of neuron, block and bits. */
function planesOf(file: string, config: string, target: string): readonly CaseTarget[] {
  const wanted: Readonly<Record<string, readonly string[]>> = {
    'models/adaptive/resnet20.spike': ['w16s2t4'],
    'models/multibit/resnet20.spike': ['mb21', 'mb21_ic'],
    'models/ibra/resnet18.spike': ['ilif', 'ibra9'],
    'models/ibra/resnet20.spike': ['narrow_ibra4'],
    'models/starter.spike': ['multibit'],
    'examples/diff-configs/net.spike': ['multibit'],
  };
  return wanted[file]?.includes(config) === true ? [{ target, planes: true }] : [];
}

const convert = (body: string): string => `use "spikec/neurons" { IF, MBIF, IBRALIF }\n${body}`;
const config = (name: string, network: string, body: string): string =>
  `config ${name} {\n  network onnx("${network}")\n${body}\n}\n`;

/** Every coding on imported networks. */
function imported(): readonly Case[] {
  const forms = { quantised: tinyQuantised(), joined: joined(), operators: operators() };
  const sws = {
    exact: '  coding sws(beta: 2, steps: 8, silent: 2)',
    drive: '  coding sws(beta: 2, steps: 6, silent: 0, encoder: drive)',
    weaker: '  coding sws(beta: 1.5, steps: 6, silent: 1)',
    full: '  coding sws(steps: 8, silent: 8, threshold: full, rectified: false)',
    narrow: '  coding sws(steps: 4, silent: 1)\n  bits { weights 3 }',
  };
  const cases = Object.entries(forms).map(([form, bytes]): Case => {
    const settings = { ...sws, rate: '  neuron IF(start: 0.5)\n  coding direct(steps: 8)' };
    const body = Object.entries(settings).map(([name, text]) => config(name, `${form}.onnx`, text));
    return {
      name: `import-${form}`,
      files: { [`${form}.onnx`]: bytes, 'net.spike': convert(body.join('')) },
      // max pooling needs β = 2, and an average of spikes isn't spikes in front of a synapse
      targets: Object.keys(settings)
        .filter((name) => form !== 'joined' || (name !== 'weaker' && name !== 'rate'))
        .map((name) => ({
          target: `net.spike#${name}`,
          text: form === 'quantised' || name === 'exact',
          imported: true,
          diff: `${form}.onnx`,
        })),
    };
  });
  return [...cases, means(), ann(), allocation()];
}

function means(): Case {
  const ranges =
    '{\n    layer "first" { range 2.5 }\n    layer "second" { range 3.25 }\n    layer "third" { range 4 }\n  }';
  const settings = {
    rate: `  neuron IF(start: 0.5)\n  coding direct(steps: 6) ${ranges}`,
    mbif: `  neuron MBIF(integer: 1, fraction: 3, start: 0.0625)\n  coding direct(steps: 4) ${ranges}`,
    ibra: `  neuron IBRALIF(D: 1.5, N: 10)\n  coding direct(steps: 1) ${ranges}`,
  };
  const body = Object.entries(settings).map(([name, text]) => config(name, 'real.onnx', text));
  return {
    name: 'import-real',
    files: { 'real.onnx': real(), 'net.spike': convert(body.join('')) },
    targets: Object.keys(settings).flatMap((name): CaseTarget[] => [
      { target: `net.spike#${name}`, text: true, imported: true, diff: 'real.onnx' },
      ...(name === 'rate' ? [] : [{ target: `net.spike#${name}`, imported: true, planes: true }]),
    ]),
  };
}

function ann(): Case {
  const text = config('bits', 'real.onnx', '  bits { weights 4  layer "Gemm*" { weights 6 } }');
  return {
    name: 'import-ann',
    files: { 'real.onnx': real(), 'net.spike': text },
    targets: [{ target: 'net.spike#bits', text: true, imported: true, diff: 'real.onnx' }],
  };
}

function allocation(): Case {
  const { images, labels } = tinyImages(16);
  const data = ['--data', 'idx:images,labels', '--limit', '16', '-o', 'out'];
  const text = config('c', 'quantised.onnx', '  coding sws(steps: 8, silent: 2)');
  return {
    name: 'allocate',
    files: { 'quantised.onnx': tinyQuantised(), 'net.spike': text, images, labels },
    targets: [
      { target: 'bits', text: true, command: ['allocate', 'quantised.onnx', '--weight-bits', '4', ...data] },
      { target: 'silent', text: true, command: ['allocate', 'net.spike#c', '--silent', '--latency', '14', ...data] },
    ],
  };
}

/** Trained networks, where they are at hand. */
function shared(): readonly Case[] {
  const names = ['lenet5-maxpool-mnist.qdq', 'lenet5-maxpool-mnist.qop', 'resnet20-cifar10.qop'];
  const present = names.filter((name) => existsSync(join(trained, `${name}.onnx`)));
  const absent = names.filter((name) => !present.includes(name));
  if (absent.length > 0) console.warn(`skipped: golden outputs of ${absent.join(', ')}, absent from ${trained}`);
  return present.map((name) => ({
    name: `trained-${name}`,
    files: {
      'net.onnx': readFileSync(join(trained, `${name}.onnx`)),
      'net.spike': config('c', 'net.onnx', '  coding sws(beta: 2, steps: 8, silent: 2)'),
    },
    targets: [{ target: 'net.spike#c', imported: true, networksOnly: true, diff: 'net.onnx' }],
  }));
}

export const cases: readonly Case[] = [...own(), ...imported(), ...shared()];
