import { folded, stepsOf } from '../../tensor/index.js';
import type { OpLowering } from './lowering.js';

/** The same values in the result's shape. */
export const moved: OpLowering = {
  role: 'moves',
  act: ({ builder }, { type }, [x]) => builder.reshape(x!, folded(stepsOf(x!), type.shape)),
};
