/** What the options of commands choose from: read by the command line before any command is loaded. */

export { type PictureKind, pictureKinds } from '../report/measured/kinds.js';

/** What `diff` compares. */
export const irs = ['network', 'tensor'] as const;
