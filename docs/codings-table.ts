import { convertedBy } from '../src/convert/supported-ops.js';
import { type OpKind, opKinds } from '../src/network/index.js';
import { networkOfKind } from '../src/testing/op-cases.js';
import { conversionCodings } from '../src/workspace/types.js';

const [begin, end] = [
  '<!-- codings and layers: written by npm run docs -->\n\n',
  '\n\n<!-- end of codings and layers -->',
];

/** The codings that convert a network with a layer of a kind. */
function codingsOf(kind: OpKind): readonly string[] | undefined {
  const network = networkOfKind(kind);
  if (network === undefined) return undefined;
  return conversionCodings.filter((coding) => {
    const { network: made, diagnostics } = convertedBy(network, coding);
    return made !== undefined && diagnostics.every(({ severity }) => severity !== 'error');
  });
}

/** Which codings carry which layers of an ANN, from converting one of each: codings and kinds that agree stand together. */
export function codingsTable(): string {
  const rows = opKinds.flatMap((kind) => {
    const codings = codingsOf(kind);
    return codings === undefined ? [] : [{ kind, codings }];
  });
  const columns = new Map<string, string[]>();
  for (const coding of conversionCodings) {
    const key = rows.map(({ codings }) => Number(codings.includes(coding))).join('');
    columns.set(key, [...(columns.get(key) ?? []), coding]);
  }
  const groups = [...columns.values()];
  const kinds = new Map<string, OpKind[]>();
  for (const { kind, codings } of rows) {
    const key = groups
      .map(([first]) => (codings.includes(first!) ? 'exactly as its equations say' : 'refused'))
      .join(' | ');
    kinds.set(key, [...(kinds.get(key) ?? []), kind]);
  }
  const head = groups.map((codings) => codings.map((coding) => `\`${coding}\``).join(', '));
  return [
    `| layers | ${head.join(' | ')} |`,
    `| --- | ${head.map(() => '---').join(' | ')} |`,
    ...[...kinds].map(([key, list]) => `| ${list.map((kind) => `\`${kind}\``).join(', ')} | ${key} |`),
  ].join('\n');
}

/** docs/neurons.md with its table written anew. */
export function withCodingsTable(page: string): string {
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from === -1 || to < from) throw new TypeError('docs/neurons.md has no place for codings and layers');
  return page.slice(0, from + begin.length) + codingsTable() + page.slice(to);
}
