import { equationFunctions, surrogateTable } from '../src/equations/index.js';
import { codings } from '../src/model/codings.js';
import { layerTable } from '../src/model/layers/index.js';
import { type Parameter, type Setting, type Spec, describeSpec } from '../src/model/schema.js';
import { bitSettings, hardwareSettings, trainSettings } from '../src/model/settings.js';

/** `sgd(lr: 0.1, momentum: 0)`: parameters with what holds without them, or by name alone. */
function call(name: string, parameters: readonly Parameter[]): string {
  if (parameters.length === 0) return name;
  const list = parameters.map((one) => {
    const otherwise = one.default === undefined ? '' : `: ${String(one.default)}`;
    return `${one.name}${otherwise || (one.spec.kind === 'list' ? ': […]' : '')}`;
  });
  return `${name}(${list.join(', ')})`;
}

/** What a setting may be, as one writes it. */
function values(spec: Spec): string {
  switch (spec.kind) {
    case 'words':
      return spec.words.map((word) => `\`${word}\``).join(', ');
    case 'choice':
      return Object.entries(spec.of)
        .map(([name, { args }]) => `\`${call(name, args)}\``)
        .join(', ');
    case 'sum':
      return `${values({ kind: 'choice', of: spec.of })}; or a sum of them, each perhaps times a number`;
    case 'list':
      return `a list of ${values(spec.of)}`;
    case 'either':
      return spec.of.map(values).join(', or ');
    default:
      return describeSpec(spec);
  }
}

function settingTable(settings: readonly Setting[], more: readonly string[] = []): string {
  const rows = settings.map(({ name, doc, spec, default: usual, otherwise = '–' }) => {
    const without = usual === undefined ? otherwise : `\`${String(usual)}\``;
    return `| \`${name}\` | ${doc} | ${values(spec)} | ${without} |`;
  });
  return ['| setting | what it says | values | without it |', '| --- | --- | --- | --- |', ...rows, ...more].join('\n');
}

function layerTableOf(): string {
  const rows = Object.entries(layerTable).map(([name, { doc, inputs, parameters }]) => {
    const args = parameters.map((one) => {
      const { required = false, default: usual = one.otherwise?.match(/^`(\w+)`$/)?.[1] ?? '…' } = one;
      const said = typeof usual === 'number' && usual > 0 && usual < 1e-3 ? usual.toExponential() : String(usual);
      return required ? one.name : `${one.name}: ${said}`;
    });
    const several = inputs.min === 1 ? [] : [inputs.max === 2 ? 'a, b' : 'a, b, …'];
    const all = [...several, ...args].join(', ');
    return `| \`${all === '' ? name : `${name}(${all})`}\` | ${doc} |`;
  });
  return ['| layer | what it does |', '| --- | --- |', ...rows].join('\n');
}

function functionTable(): string {
  const rows = Object.entries(equationFunctions).map(([name, { params, named = [], doc, gradient }]) => {
    const written = [...params, ...named.map((one) => `${one}: …`)].join(', ');
    return `| \`${name}(${written})\` | ${doc} | ${gradient} |`;
  });
  return ['| function | value | derivative |', '| --- | --- | --- |', ...rows].join('\n');
}

function surrogates(): string {
  const rows = Object.entries(surrogateTable).map(([name, { args, doc, elsewhere = '–' }]) => {
    const given = Object.entries(args).map(([arg, value]) => `${arg}: ${Number.isFinite(value) ? value : '…'}`);
    return `| \`${name}(${given.join(', ')})\` | ${doc.replaceAll('|', '\\|')} | ${elsewhere} |`;
  });
  return ['| surrogate | derivative | elsewhere |', '| --- | --- | --- |', ...rows].join('\n');
}

function codingTable(): string {
  const told: Readonly<Record<keyof typeof codings, readonly [string, string]>> = {
    direct: ['the real input at every step', 'mean over the steps'],
    rate: ['spikes drawn with the input as probability, or at equal distances', 'mean'],
    offset: ['the real input at every step', 'mean'],
    sws: ['stepwise weighted digits', 'weighted sum'],
    binary: ['the first spiking layer encodes', 'value'],
    phase: ['binary digits, again in each period; or real', 'mean'],
    burst: ['the bursts of its size; or real', 'mean'],
    ttfs: ['one spike, earlier is larger; or real', 'mean'],
    ttfs_dynamic: ['one spike, at the first t with t·x ≥ 1; or real', 'mean'],
    tsc: ['a spike that begins, one that ends; or real', 'mean'],
    pattern: ['binary digits; or real', 'mean'],
    events: ['event frames [T, C, H, W]', 'mean'],
  };
  const rows = Object.entries(told).map(([name, [input, readOut]]) => {
    const parameters: readonly Parameter[] = codings[name as keyof typeof codings].args;
    const described = parameters.map(({ name, spec, default: usual }) => {
      const otherwise = usual === undefined ? '' : `: ${String(usual)}`;
      return `\`${name}${otherwise}\` (${values(spec)})`;
    });
    return `| \`${name}\` | ${described.join(', ')} | ${input} | ${readOut} |`;
  });
  return ['| coding | arguments | input | read-out |', '| --- | --- | --- | --- |', ...rows].join('\n');
}

const layerRow =
  '| `layer` | a pattern of layers with `weights`, `spikes`, `steps` of their own; fixed ones are no part of the loss, others with another target have a term of theirs | `layer "stem" { weights 8 }` | – |';

/** The tables of docs/language.md that the compiler's own tables say, by the name of their place in it. */
const tables: Readonly<Record<string, () => string>> = {
  layers: layerTableOf,
  functions: functionTable,
  surrogates,
  codings: codingTable,
  'bits { … }': () => settingTable(bitSettings, [layerRow]),
  'train { … }': () => settingTable(trainSettings),
  'hardware { … }': () => settingTable(hardwareSettings),
};

/** docs/language.md with its tables written anew. */
export function withTables(page: string): string {
  let text = page;
  for (const [name, table] of Object.entries(tables)) {
    const [begin, end] = [`<!-- ${name}: written by npm run docs -->\n\n`, `\n\n<!-- end of ${name} -->`];
    const [from, to] = [text.indexOf(begin), text.indexOf(end)];
    if (from === -1 || to < from) throw new TypeError(`docs/language.md has no place for ${name}`);
    text = text.slice(0, from + begin.length) + table() + text.slice(to);
  }
  return text;
}
