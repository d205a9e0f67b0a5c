import type { StandardNodes } from './nodes.js';

/** x held in [min, max], in float32, in operators of every opset. */
export function bounded(to: StandardNodes, x: string, min: number, max: number): string {
  return to.node('Max', [to.node('Min', [x, to.float(max)]), to.float(min)]);
}
