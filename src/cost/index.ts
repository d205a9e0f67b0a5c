export { type Cost, type LayerCost, costOf } from './cost.js';
export { fanOuts } from './fan-out.js';
