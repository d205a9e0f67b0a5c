/** What `use "spikec/NAME"` may name: the standard library's files in `models/`. */
export const libraryFiles = ['neurons', 'blocks', 'attention', 'detection', 'unet', 'spikedriven'] as const;

export const libraryPrefix = 'spikec/';
