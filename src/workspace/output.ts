import { fail } from '../base/diagnostics/index.js';
import type { FileContent } from '../base/pieces.js';
import { isFile, readBytes, writeFile } from '../data/index.js';

/** A page as `--snippet` writes it: a frame, and nothing around it. */
function framed(sign: string): RegExp {
  return new RegExp(`^<iframe [^>]*srcdoc="[^"]*${sign}[^"]*"></iframe>\\s*$`);
}

/** Commands that write one file, and what the files that they wrote are known by. */
const signs = {
  // COCO's results
  eval: [/^\[(?:\n\{"image_id":|\n?\]\s*$)/],
  cost: [/^id,kind,input,macs,params,/],
  report: [
    /<meta name="generator" content="spikec /,
    framed('&lt;meta name=&quot;generator&quot; content=&quot;spikec '),
  ],
  picture: [/<!-- Made by spikec picture\. --><\/svg>$/, /^.PNG\r\n[^]{10,60}Software\0spikec picture/u],
  diff: [
    /^--- [^\n]*\n\+\+\+ [^\n]*\n(?!@@)/,
    /^against /,
    /^## `+[^\n]*`+ → `+[^\n]*`+\n/,
    /^\| against /,
    /<footer>Made by spikec [^<]*\.<\/footer>/,
    framed('&lt;footer&gt;Made by spikec '),
    /^\{\n {2}"identical": (?:true|false),\n {2}"(?:from|base)": /,
  ],
} as const satisfies Readonly<Record<string, readonly RegExp[]>>;

export type Writer = keyof typeof signs;

/** A picture that says who made it, so that the next one may take its place. */
export function signedPicture(svg: string): string {
  return svg.replace(/<\/svg>\s*$/, '<!-- Made by spikec picture. --></svg>');
}

/**
 * Refuses an output file in whose place something stands that the command didn't write: a model file, a table of the
 * user's. Empty files are nothing that is lost.
 */
export function refuseOutput(path: string, command: Writer): void {
  if (!isFile(path)) return;
  const text = new TextDecoder().decode(readBytes(path));
  if (text === '' || signs[command].some((sign) => sign.test(text))) return;
  const help = 'name another file with `-o`, or move what is there away';
  fail('file/would-replace', { path, more: 0, command }, undefined, { help });
}

/** Writes a command's output file, unless {@link refuseOutput} refuses. */
export function writeOutput(path: string, content: FileContent, command: Writer): void {
  refuseOutput(path, command);
  writeFile(path, content);
}
