import { fail } from '../base/diagnostics/index.js';
import type { Config, TrainValues } from '../model/index.js';
import type { Augmentation } from '../train/index.js';
import type { Sizes } from './own-sizes.js';

/** What augmentations do that only images have rows and columns for. */
const ofImages: Partial<Record<NonNullable<TrainValues['augment']>[number]['name'], string>> = {
  flip: 'mirrors',
  crop: 'shifts',
  scale: 'scales',
  erase: 'erases rectangles of',
  cutmix: 'cuts rectangles out of',
};

/** The setting `augment`; what would change nothing of the data that a config's network takes is refused. */
export function augmentOf(said: NonNullable<TrainValues['augment']>, config: Config, { input }: Sizes): Augmentation {
  let made: Augmentation = { flip: false, crop: 0 };
  for (const one of said) {
    const timed = one.name === 'drop' || one.name === 'jitter';
    if (timed && config.coding?.name !== 'events') {
      const problem = `\`${one.name}\` changes recordings of events, and the coding is ${config.coding === undefined ? 'none' : `\`${config.coding.name}\``}: \`coding events(…)\` has them`;
      fail('model/conflict', { problem }, one.place);
    }
    const mixed = one.name === 'mixup' || one.name === 'cutmix';
    if (mixed && config.train?.settings.loss?.some(({ term }) => term.name === 'yolo') === true) {
      const problem = `\`${one.name}\` mixes images, and \`yolo\` has no boxes of two images`;
      fail('model/conflict', { problem }, one.place, {
        help: '`flip`, `crop` and `scale` move boxes with their images',
      });
    }
    const what = ofImages[one.name];
    if (what !== undefined && input !== undefined && input.length !== 3) {
      const problem = `\`${one.name}\` ${what} images [channels, rows, columns], and the input isn’t one`;
      const help = one.name === 'cutmix' ? '`mixup` takes any input' : undefined;
      fail('model/conflict', { problem }, one.place, { help });
    }
    switch (one.name) {
      case 'flip':
        made = { ...made, flip: true };
        break;
      case 'crop':
        made = { ...made, crop: one.args.padding };
        break;
      case 'scale':
        made = { ...made, scale: one.args.by };
        break;
      case 'erase': {
        const { probability, min, max } = one.args;
        if (min > max) fail('model/conflict', { problem: '`erase` has a `min` above its `max`' }, one.place);
        made = { ...made, erase: { probability, min, max } };
        break;
      }
      case 'drop':
        made = { ...made, drop: one.args.share };
        break;
      case 'jitter':
        made = { ...made, jitter: one.args.steps };
        break;
      case 'mixup':
        made = { ...made, mixup: one.args.alpha };
        break;
      case 'cutmix':
        made = { ...made, cutmix: one.args.alpha };
    }
  }
  return made;
}
