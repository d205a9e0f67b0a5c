import { extname } from 'node:path';
import { type Command, Argument, InvalidArgumentError } from 'commander';
import { type Owners, refuseIdle } from './idle.js';
import {
  type DataFlags,
  type ShapeFlags,
  dataHelp,
  defined,
  inputShapeOption,
  parseTarget,
  shapesFor,
  wholeNumber,
  withCommonFlags,
  withDataFlags,
  withOutsideFlag,
} from './options.js';
import { type CommonFlags, type Host, runCommand } from './session.js';
import type { CommonOptions, Target } from '../workspace/types.js';
import { type PictureKind, pictureKinds } from '../commands/choices.js';

interface PictureFlags extends CommonFlags, DataFlags, ShapeFlags {
  readonly data?: string;
  readonly sample?: number;
  readonly limit?: number;
  readonly layer?: string;
  readonly neurons?: readonly number[];
  readonly engine?: string;
  readonly out: string;
  readonly allowOutside?: boolean;
}

const onLayers = ['levels', 'spikes', 'raster', 'membranes'];
const onImages = [...onLayers, 'boxes', 'pixels'];
const onOneImage = ['spikes', 'raster', 'membranes', 'boxes', 'pixels'];
const owners: Owners = {
  data: onImages,
  dataDir: onImages,
  mean: onImages,
  std: onImages,
  layer: onLayers,
  engine: onImages,
  limit: ['levels'],
  sample: onOneImage,
  neurons: ['raster', 'membranes'],
};

/** `spikec picture KIND TARGET --data DATA [--sample N] [--layer ID] -o FILE.svg|FILE.png` */
export function addPicture(program: Command, host: Host): void {
  const command = program
    .command('picture')
    .summary('draw what a network does on data')
    .description(
      'Draw a picture as SVG or PNG. levels: how often each level is fired, layer by layer. spikes: the membranes of a layer on an image, and what spikes of several bit widths keep of them. raster: spikes of some neurons over time. membranes: membranes of some neurons over time. bits: bits of weights, spikes and time by layer. boxes: what a detector finds in an image, and what is there. pixels: the mask or the picture that a network makes of an image, and what is wanted.',
    )
    .addArgument(new Argument('<kind>', 'which picture').choices(pictureKinds))
    .argument('<target>', 'FILE, FILE#CONFIG, a run or compiled folder', parseTarget)
    .option('--data <data>', `all but bits need it: ${dataHelp}`)
    .option('--sample <n>', 'which image, from 0', wholeNumber(0))
    .option('--limit <n>', 'images that levels are counted over (default: 100)', wholeNumber(1))
    .option('--layer <id>', 'which layer of neurons (default: the first; raster: four of them; levels: all)')
    .option('--neurons <list>', 'which neurons of the layer, comma list from 0 (default: some that fire)', indexList)
    .option('--engine <name>', 'engine to run on (default: the fastest present)')
    .option(...inputShapeOption)
    .requiredOption('-o, --out <file>', 'the SVG file, or PNG where the name ends in .png', pictureFile)
    .action((kind: PictureKind, target: Target, flags: PictureFlags) => {
      refuseIdle(command, owners, kind, (name) => `\`picture ${name}\``);
      return draw(host, kind, target, { ...flags, ...shapesFor(command, flags, [target]) });
    });
  withCommonFlags(withOutsideFlag(withDataFlags(command)), [
    'spikec picture levels runs/mnist --data mnist:test -o levels.svg',
    'spikec picture spikes runs/mnist --data mnist:test --sample 7 -o spikes.svg',
  ]);
}

function pictureFile(text: string): string {
  const ending = extname(text).toLowerCase();
  if (ending !== '' && ending !== '.svg' && ending !== '.png') {
    throw new InvalidArgumentError('Pictures are SVG or PNG: a name that ends in .svg or .png is expected.');
  }
  return text;
}

function indexList(text: string): readonly number[] {
  const parts = text.split(',').map((part) => part.trim());
  if (!parts.every((part) => /^\d{1,9}$/.test(part))) {
    throw new InvalidArgumentError('Whole numbers from 0 on, separated by commas, are expected.');
  }
  return [...new Set(parts.map(Number))];
}

function draw(
  host: Host,
  kind: PictureKind,
  target: Target,
  flags: PictureFlags & Pick<CommonOptions, 'inputShapes'>,
): Promise<void> {
  return runCommand(host, flags, async ({ driver, progress, take, data }) => {
    const opened = flags.data === undefined ? undefined : await data(flags.data, flags);
    const { sample, limit, layer, neurons, engine, inputShapes } = flags;
    const result = take(
      await driver.drawPicture(target, {
        kind,
        outFile: flags.out,
        normalisation: opened?.normalisation ?? {},
        allowOutside: flags.allowOutside === true,
        onProgress: progress,
        ...defined({ dataset: opened?.dataset, sample, limit, layer, neurons, engine, inputShapes }),
      }),
    );
    if (result.layers.length === 0)
      return { text: `${result.file}: ${result.kind} of image ${sample ?? 0}\n`, json: result };
    const layers = result.layers.length === 1 ? result.layers[0] : `${result.layers.length} layers`;
    return { text: `${result.file}: ${result.kind} of ${layers}\n`, json: result };
  });
}
