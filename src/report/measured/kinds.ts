export const pictureKinds = ['levels', 'spikes', 'raster', 'membranes', 'bits', 'boxes', 'pixels'] as const;

/** What a picture of a network shows. */
export type PictureKind = (typeof pictureKinds)[number];
