import { equationFunctions, planeDocs, surrogateArgumentDocs, surrogateTable } from '../../equations/index.js';
import type { Declaration } from '../../syntax/index.js';
import { type Parameter, type Setting as SettingRow, type Spec, describeSpec } from '../schema.js';

// What editors say of the language's own names: a line that says how a thing is written, then what it is.

/** `batch: an integer of at least 1, 64 where it isn't given`, and what it says. */
export function describeSetting({
  name,
  spec,
  doc,
  default: usual,
  otherwise,
}: Parameter & Partial<SettingRow>): string {
  const without = usual === undefined ? otherwise : `\`${String(usual)}\``;
  const what = spec.kind === 'any' ? name : `${name}: ${describeSpec(spec)}`;
  const values = `${what}${without === undefined ? '' : `; without it: ${without}`}`;
  return doc === undefined ? values : `${values}\n${doc}`;
}

/** `conv(channels, kernel: 3)`: what it is called with, with what holds otherwise. */
export function signature(name: string, parameters: readonly Parameter[]): string {
  const list = parameters.map((one) =>
    one.default === undefined ? one.name : `${one.name}: ${JSON.stringify(one.default)}`,
  );
  return list.length === 0 ? name : `${name}(${list.join(', ')})`;
}

/** Whether a spec is, or has among its forms, this word. */
export function isWordOf(spec: Spec, word: string): boolean {
  if (spec.kind === 'words') return spec.words.includes(word);
  if (spec.kind === 'either') return spec.of.some((one) => isWordOf(one, word));
  return spec.kind === 'list' && isWordOf(spec.of, word);
}

export function describeFunction(name: string): string | undefined {
  if (!Object.hasOwn(equationFunctions, name)) return undefined;
  const { params, doc } = equationFunctions[name as keyof typeof equationFunctions];
  return `${name}(${params.join(', ')})\n${doc}`;
}

/** `atan(alpha: 2)`, and the derivative that it stands for. */
export function describeSurrogate(name: string): string | undefined {
  const row = Object.hasOwn(surrogateTable, name) ? surrogateTable[name] : undefined;
  if (row === undefined) return undefined;
  const args = Object.entries(row.args).map(([arg, value]) => (Number.isFinite(value) ? `${arg}: ${value}` : arg));
  return `surrogate ${name}${args.length === 0 ? '' : `(${args.join(', ')})`}\nthe derivative of a unit step at v = 0: ${row.doc}`;
}

export function describeSurrogateArgument(name: string): string | undefined {
  return Object.hasOwn(surrogateArgumentDocs, name)
    ? `${name}\n${surrogateArgumentDocs[name as keyof typeof surrogateArgumentDocs]}`
    : undefined;
}

export function describePlanes(form: string): string | undefined {
  return Object.hasOwn(planeDocs, form) ? `planes ${form}\n${planeDocs[form as keyof typeof planeDocs]}` : undefined;
}

/** The comment right above a declaration. */
export function commentAbove(declaration: Exclude<Declaration, { kind: 'use' }>): string | undefined {
  const { source, start } = declaration.span;
  const lines = source.text.slice(0, start).split('\n').slice(0, -1);
  const above: string[] = [];
  for (let line = lines.pop()?.trim(); line?.startsWith('//') === true; line = lines.pop()?.trim()) {
    above.unshift(line.replace(/^\/\/\s?/, ''));
  }
  return above.length === 0 ? undefined : above.join('\n');
}
