/** Text that is HTML already. Only {@link html} and {@link trusted} make it. */
export class Html {
  constructor(readonly text: string) {}
}

export type Part = Html | string | number | undefined | false | readonly Part[];

/** HTML of our own making, for example a drawn SVG. Never text from a file. */
export function trusted(text: string): Html {
  return new Html(text);
}

/** A template whose parts are escaped unless they are HTML; lists are joined, nothing stands for `undefined` and `false`. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Html {
  return new Html(strings.reduce((text, piece, i) => text + htmlOf(parts[i - 1]) + piece));
}

function htmlOf(part: Part): string {
  if (part === undefined || part === false) return '';
  if (part instanceof Html) return part.text;
  if (typeof part === 'object') return part.map(htmlOf).join('');
  return escapeText(String(part));
}

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Text for HTML and SVG, in elements and in quoted attributes; control characters are left out. */
export function escapeText(text: string): string {
  return text
    .replaceAll(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f]/g, '')
    .replaceAll(/[&<>"']/g, (c) => escapes[c]!);
}

/** Data for the page's script, in an element of that class. */
export function jsonElement(className: string, value: unknown): Html {
  // no end tag and no comment can begin without a <
  const json = JSON.stringify(value).replaceAll('<', '\\u003c');
  return new Html(`<script type="application/json" class="${escapeText(className)}">${json}</script>`);
}

/** A script of our own, byte for byte: the page's policy knows it by its hash. */
export function scriptElement(script: string): Html {
  return new Html(`<script>${script}</script>`);
}
