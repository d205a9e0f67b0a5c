import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { expect, it } from 'vitest';

/**
 * Who may import whom: a layer and those that it may use besides itself. The longest matching prefix decides
 * which layer a file belongs to. Anything not listed is an upward import.
 */
const table: Readonly<Record<string, readonly string[]>> = {
  grammar: [],
  'src/base': [],
  'src/tensor': ['src/base'],
  'src/detection': ['src/base', 'src/tensor'],
  // An op's row may hold its lowering.
  'src/network': ['src/base', 'src/equations', 'src/tensor'],
  // A row of the table of functions emits Tensor IR.
  'src/equations': ['src/base', 'src/tensor'],
  'src/syntax': ['src/base', 'src/equations', 'grammar'],
  'src/model': ['src/base', 'src/equations', 'src/syntax'],
  'src/frontends/onnx': ['src/base', 'src/network'],
  'src/lower': ['src/base', 'src/equations', 'src/model', 'src/network', 'src/tensor'],
  'src/passes': ['src/base', 'src/equations', 'src/network', 'src/tensor', 'src/lower'],
  'src/frontends/nir': ['src/base', 'src/equations', 'src/network'],
  'src/backends/nir': ['src/base', 'src/equations', 'src/network', 'src/frontends/nir'],
  'src/backends/onnx': ['src/base', 'src/network', 'src/tensor'],
  'src/backends/c': ['src/base', 'src/equations', 'src/network', 'src/tensor'],
  'src/backends/tfjs': ['src/base', 'src/network', 'src/tensor'],
  // A layer of neurons is a step of its equations.
  'src/backends/torch': ['src/base', 'src/equations', 'src/lower', 'src/network', 'src/tensor'],
  'src/backends/c-program': ['src/base', 'src/tensor'],
  'src/engines': ['src/base', 'src/tensor', 'src/backends/onnx', 'src/backends/tfjs', 'src/backends/c-program'],
  'src/data': ['src/frontends/nir', 'src/base', 'src/network'],
  'src/cost': ['src/base', 'src/equations', 'src/network'],
  'src/diff': ['src/base', 'src/equations', 'src/network', 'src/tensor'],
  'src/train': running(),
  'src/workspace': opening(),
  'src/run': [...opening(), 'src/workspace'],
  'src/allocate': [...opening(), 'src/workspace', 'src/run'],
  'src/convert': [...opening(), 'src/workspace', 'src/run', 'src/allocate'],
  'src/report': ['src/base', 'src/equations', 'src/network', 'src/cost', 'src/diff', 'src/train', 'src/run'],
  // What is drawn of a network is measured first.
  'src/report/measured': [...opening(), 'src/report', 'src/workspace', 'src/run'],
  'src/report/measured/kinds.ts': [],
  'src/commands': commanding(),
  // What an editor uses loads no backend.
  'src/commands/check.ts': ['src/commands/reporting.ts', 'src/workspace/import-problems.ts', ...checking()],
  'src/commands/fmt.ts': ['src/commands/reporting.ts', ...checking()],
  'src/commands/reporting.ts': ['src/base'],
  // What the command line reads before it loads a command.
  'src/commands/choices.ts': ['src/report/measured/kinds.ts'],
  'src/workspace/load-model.ts': checking(),
  'src/workspace/choose-config.ts': ['src/base', 'src/model', 'src/workspace/types.ts'],
  'src/workspace/conversion-rules.ts': ['src/base', 'src/equations', 'src/lower', 'src/model'],
  'src/workspace/files.ts': checking(),
  'src/workspace/output.ts': ['src/base', 'src/data'],
  'src/workspace/types.ts': ['src/base'],
  'src/workspace/version.ts': ['src/base', 'src/data'],
  'src/cli': [
    'src/base',
    'src/data',
    'src/cost',
    'src/diff',
    'src/workspace/output.ts',
    'src/workspace/types.ts',
    'src/workspace/version.ts',
    'src/commands',
    'src/lsp/stdio.ts',
  ],
  // What an editor uses loads no backend, and needs no Node but for files on a disk.
  'src/lsp': [...checking(), 'src/cost', 'src/workspace/config-problems.ts', 'grammar/tokens.ts'],
  'src/lsp/disk-host.ts': ['src/lsp/host.ts', 'src/data', 'src/workspace/files.ts'],
  'src/workspace/config-problems.ts': [
    ...checking(),
    'src/workspace/conversion-rules.ts',
    'src/workspace/training-problems.ts',
  ],
  'src/workspace/training-problems.ts': [
    ...checking(),
    'src/workspace/layer-settings.ts',
    'src/workspace/train-settings.ts',
  ],
  // Of a training its types alone.
  'src/workspace/augmentation.ts': [...checking(), 'src/train', 'src/workspace/own-sizes.ts'],
  'src/workspace/layer-settings.ts': [...checking(), 'src/train'],
  'src/workspace/own-sizes.ts': checking(),
  'src/workspace/train-settings.ts': [
    ...checking(),
    'src/train',
    'src/workspace/augmentation.ts',
    'src/workspace/own-sizes.ts',
  ],
  'src/testing': ['src/base', 'src/equations', 'src/network', 'src/tensor', 'src/passes', 'src/lower', 'src/workspace'],
  // What a browser can import.
  'src/core.ts': [...checking(), 'src/backends/onnx', 'src/backends/tfjs', 'src/cost', 'src/diff', 'src/report'],
  'src/index.ts': [...commanding(), 'src/commands', 'src/core.ts'],
};

function running(): string[] {
  return [
    'src/base',
    'src/equations',
    'src/network',
    'src/tensor',
    'src/lower',
    'src/passes',
    'src/engines',
    'src/detection',
    'src/data',
    'src/cost',
  ];
}

function checking(): string[] {
  return [
    'src/base',
    'src/equations',
    'src/syntax',
    'src/model',
    'src/network',
    'src/tensor',
    'src/frontends/onnx',
    'src/lower',
    'src/passes',
    'src/data',
    'src/workspace/choose-config.ts',
    'src/workspace/config-problems.ts',
    'src/workspace/conversion-rules.ts',
    'src/workspace/files.ts',
    'src/workspace/load-model.ts',
    'src/workspace/types.ts',
    'src/workspace/version.ts',
  ];
}

function opening(): string[] {
  return [
    ...running(),
    'src/syntax',
    'src/model',
    'src/frontends/onnx',
    'src/frontends/nir',
    'src/backends/nir',
    'src/backends/c',
    'src/backends/onnx',
    'src/backends/tfjs',
    'src/backends/torch',
    'src/train',
  ];
}

function commanding(): string[] {
  return [...opening(), 'src/diff', 'src/workspace', 'src/run', 'src/allocate', 'src/convert', 'src/report'];
}

const layers = Object.keys(table).sort((a, b) => b.length - a.length);

function layerOf(file: string): string | undefined {
  return layers.find((layer) => isIn(layer, file));
}

function isIn(layer: string, file: string): boolean {
  return file === layer || file.startsWith(`${layer}/`);
}

const files = ['src', 'grammar'].flatMap((root) =>
  readdirSync(root, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .map((name) => join(root, name)),
);

interface Import {
  readonly from: string;
  readonly to: string;
}

/** The imports of our own files, static and dynamic, of values and of types. */
const imports: readonly Import[] = files.flatMap((from) => {
  const text = readFileSync(from, 'utf8');
  const pattern = /(?:\b(?:import|export)\s+[^;'"]*?from\s*|\bimport\s*\(?\s*)['"](\.[^'"]+)['"]/g;
  return [...text.matchAll(pattern)].map((match) => ({
    from,
    to: normalize(join(dirname(from), (match[1] ?? '').replace(/\.js$/, '.ts'))),
  }));
});

it('imports are found, and lead to files', () => {
  expect(imports.length).toBeGreaterThan(files.length);
  expect(imports.filter(({ to }) => !files.includes(to)).map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
});

it('no file is imported for what it does alone: the command is bundled without such files', () => {
  expect(using(/^import ['"]/m, /^$/)).toEqual([]);
});

it('every file belongs to a layer', () => {
  expect(files.filter((file) => layerOf(file) === undefined)).toEqual([]);
});

it('a layer imports only those that it may', () => {
  const wrong = imports.filter(({ from, to }) => {
    const layer = layerOf(from) ?? '';
    return ![layer, ...(table[layer] ?? [])].some((allowed) => isIn(allowed, to));
  });
  expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
});

function using(pattern: RegExp, allowed: RegExp): readonly string[] {
  return files.filter((file) => !allowed.test(file) && pattern.test(readFileSync(file, 'utf8')));
}

it('a command is one file of at most 100 lines: what is more than driving belongs to a room', () => {
  const commands = files.filter((file) => isIn('src/commands', file));
  const length = (file: string): number => readFileSync(file, 'utf8').trimEnd().split('\n').length;
  expect(commands.length).toBeGreaterThan(15);
  expect(commands.map((file) => [file, length(file)]).filter(([, lines]) => Number(lines) > 100)).toEqual([]);
});

it('only the ends of the compiler touch the disk or the console', () => {
  const ends = /^src\/(cli|data|engines|train|lsp)\//;
  expect(using(/from 'node:(fs|os|child_process|net|http|https)|\bconsole\./, ends)).toEqual([]);
});

it('only the rooms that time phases look at the clock besides', () => {
  const ends = /^src\/(cli|data|engines|train|lsp|workspace|run|commands)\//;
  expect(using(/\bDate\.now\(|\bnew Date\(\)|\bperformance\.now\(/, ends)).toEqual([]);
});

/** Files that import each other in a circle, with the imports that close it: strongly connected parts of the graph. */
function circles(imports: readonly Import[]): readonly string[] {
  const next = new Map<string, string[]>();
  for (const { from, to } of imports) next.set(from, [...(next.get(from) ?? []), to]);
  const number = new Map<string, number>();
  const least = new Map<string, number>();
  const open: string[] = [];
  const found: string[] = [];
  const visit = (file: string): void => {
    number.set(file, number.size);
    least.set(file, number.get(file)!);
    open.push(file);
    for (const to of next.get(file) ?? []) {
      if (!number.has(to)) visit(to);
      if (open.includes(to)) least.set(file, Math.min(least.get(file)!, least.get(to)!));
    }
    if (least.get(file) !== number.get(file)) return;
    const part = open.splice(open.indexOf(file));
    const inside = imports.filter(({ from, to }) => part.includes(from) && part.includes(to));
    if (inside.length > 0) found.push(inside.map(({ from, to }) => `${from} → ${to}`).join(', '));
  };
  for (const file of next.keys()) if (!number.has(file)) visit(file);
  return found;
}

/** Files that are loaded with these: what they import as values, not when they are asked for. */
function loadedWith(...starts: readonly string[]): readonly string[] {
  const found = new Set(starts);
  for (const from of found) {
    const text = readFileSync(from, 'utf8');
    for (const [, clause, path] of text.matchAll(/^(?:import|export)\s+([^;'"]*?)from\s*['"](\.[^'"]+)['"]/gms)) {
      const onlyTypes = /^type\s/.test(clause!) || /^\{(?:\s*type\s[^,}]*,?)*\s*\}\s*$/.test(clause!);
      if (!onlyTypes) found.add(normalize(join(dirname(from), path!.replace(/\.js$/, '.ts'))));
    }
  }
  return [...found];
}

it('a command loads what it uses: formatting no model or network, checking no engine', () => {
  const rooms = (...starts: readonly string[]): ReadonlySet<string> =>
    new Set(loadedWith('src/cli/main.ts', 'src/cli/program.ts', 'src/commands/index.ts', ...starts).map(room));
  const room = (file: string): string => file.split('/').slice(0, 2).join('/');
  const formatting = rooms('src/cli/fmt.ts', 'src/commands/fmt.ts');
  expect(formatting).toContain('src/syntax');
  for (const left of ['model', 'network', 'passes', 'diff']) expect(formatting).not.toContain(`src/${left}`);
  const checking = rooms('src/cli/check.ts', 'src/commands/check.ts');
  expect(checking).toContain('src/model');
  for (const left of ['engines', 'backends', 'train', 'run', 'report']) expect(checking).not.toContain(`src/${left}`);
});

it('files do not import each other in circles, not even for types', () => {
  expect(circles(imports)).toEqual([]);
});

it('a circle is found, whoever begins it', () => {
  const arrow = (from: string, to: string): Import => ({ from, to });
  expect(circles([arrow('a', 'b'), arrow('b', 'c'), arrow('c', 'd'), arrow('d', 'b'), arrow('a', 'd')])).toEqual([
    'b → c, c → d, d → b',
  ]);
  expect(circles([arrow('a', 'b'), arrow('a', 'c'), arrow('b', 'd'), arrow('c', 'd')])).toEqual([]);
  expect(circles([arrow('a', 'a')])).toEqual(['a → a']);
});
