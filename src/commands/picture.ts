import type { Outcome } from '../base/diagnostics/index.js';
import { renderPlot } from '../report/plots/index.js';
import { Findings } from '../workspace/findings.js';
import { prepare } from '../workspace/nir.js';
import { openTarget } from '../workspace/open.js';
import { refuseOutput, signedPicture, writeOutput } from '../workspace/output.js';
import { openPngPictures } from '../report/png-picture.js';
import type { CommonOptions, Target } from '../workspace/types.js';
import type { PictureKind } from './choices.js';
import { type PlotOptions, plotOf, shown } from '../report/measured/pictures.js';

export interface PictureOptions extends CommonOptions, PlotOptions {
  readonly outFile: string;
}

export interface PictureResult {
  readonly kind: PictureKind;
  readonly file: string;
  /** Layers in the picture. */
  readonly layers: readonly string[];
}

/** Draws one picture of a network, most of them of what it does on images, and writes it as SVG, or PNG where the name ends so. */
export async function drawPicture(target: Target, options: PictureOptions): Promise<Outcome<PictureResult>> {
  refuseOutput(options.outFile, 'picture');
  const png = /\.png$/i.test(options.outFile) ? await openPngPictures() : undefined;
  const findings = new Findings();
  await prepare([target]);
  const { plot, layers } = await plotOf(shown(openTarget(target, { ...options, onnx: true }, findings)), options);
  const svg = await renderPlot(plot);
  writeOutput(options.outFile, png === undefined ? signedPicture(svg) : png(svg), 'picture');
  return { value: { kind: options.kind, file: options.outFile, layers }, diagnostics: findings.all };
}
