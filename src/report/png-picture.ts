import { fail } from '../base/diagnostics/index.js';
import { withText } from './png.js';

/** What is used of resvg, an optional package: the picture drawn, as a PNG. */
interface Resvg {
  readonly Resvg: new (svg: string, options: object) => { render(): { asPng(): Uint8Array } };
}

/** Pixels for each unit of the picture: sharp on dense screens and in print. */
const scale = 2;
const packageName = '@resvg/resvg-js';

/** Draws SVG texts as PNG files that say who made them; fails with what to install where resvg isn't there. */
export async function openPngPictures(): Promise<(svg: string) => Uint8Array> {
  let resvg: Resvg;
  try {
    resvg = (await import(packageName)) as Resvg;
  } catch {
    const help = `\`npm install ${packageName}\`, or a name that ends in .svg`;
    return fail('file/package-missing', { what: 'PNG pictures', name: packageName }, undefined, { help });
  }
  return (svg) => {
    const drawn = new resvg.Resvg(svg, { fitTo: { mode: 'zoom', value: scale }, background: 'white' });
    return withText(drawn.render().asPng(), 'Software', 'spikec picture');
  };
}
