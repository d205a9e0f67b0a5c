export { bitsPlot } from './bits.js';
export { levelsPlot } from './levels.js';
export { membranesPlot } from './membranes.js';
export { rasterPlot } from './raster.js';
export { type Plot, renderPlot } from './render.js';
export { spikesPlot } from './spikes.js';
