import { type Help, writing } from '../base/diagnostics/index.js';
import type { Source } from '../base/source.js';

/** Words for what other tools write, by the text at the place of an error. */
const habits: readonly {
  readonly is: RegExp;
  readonly help: (match: RegExpExecArray) => string;
  readonly as?: string;
}[] = [
  {
    is: /^d\s*([A-Za-z]\w*)\s*\/\s*dt\b/,
    help: ([, v]) =>
      `equations are difference equations with time steps of 1: \`d${v}/dt = (E - ${v}) / tau\` is \`charge ${v} = ${v} + (E - ${v}) / tau\`, with \`state ${v} = 0\` before it`,
  },
  { is: /^\+=|^-=|^\*=|^\/=/, help: ([sign]) => `write it out: \`v = v ${sign![0]} …\`` },
  { is: /^\*\*?/, help: () => 'powers are written `a ^ b`', as: '^' },
  { is: /^\|\s*\|/, help: () => 'write `or`', as: 'or' },
];

/** A hint at what the language has instead of something that other tools write at `offset`. */
export function habitAt(source: Source, offset: number): Help | undefined {
  const { text } = source;
  const before = /(\d)\s?$/.exec(text.slice(Math.max(0, offset - 2), offset));
  const unit = /^(?:[munp]?(?:s|V|A|F)|Hz|kHz|second|volt|mvolt|msecond)\b/.exec(text.slice(offset, offset + 20));
  if (before !== null && unit !== null) {
    return `numbers have no units: a time step is 1, so with steps of 1 ms \`10 ms\` is \`10\`; membranes are numbers too`;
  }
  const rest = text.slice(offset, offset + 80);
  for (const { is, help, as } of habits) {
    const match = is.exec(rest);
    if (match === null) continue;
    if (as === undefined) return help(match);
    // the first of two signs may have been read
    const sign = text[offset]!;
    const start = offset - (text[offset - 1] === sign ? 1 : 0);
    const end = offset + match[0].length;
    return writing(help(match), `Write \`${as}\``, { source, start, end }, as);
  }
  return undefined;
}
