/** What the options of commands choose from: read by the command line before any command is loaded. */

/** Codings that `convert` writes a config for. */
export const conversionCodings = ['sws', 'rate', 'mbif', 'ibra'] as const;
export type ConversionCoding = (typeof conversionCodings)[number];

export const pictureKinds = ['levels', 'spikes', 'raster', 'membranes', 'bits'] as const;
export type PictureKind = (typeof pictureKinds)[number];

/** What `diff` compares. */
export const irs = ['network', 'tensor'] as const;
