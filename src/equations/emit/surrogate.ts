import { InvariantError } from '../../base/invariant.js';
import type { SurrogateAttrs, Value } from '../../tensor/index.js';
import { isWhole } from '../ranges.js';
import type { NeuronDef } from '../types.js';
import { evaluateExpr } from './evaluate.js';
import { Pending } from './operand.js';
import type { EvaluationScope } from './scope.js';

/** A neuron's surrogate for the scope of a phase that fires, its arguments worked out from the parameters. */
export function surrogateOf(def: NeuronDef, scope: EvaluationScope): Pick<EvaluationScope, 'surrogate' | 'passing'> {
  if (def.surrogate === undefined) return {};
  const attrs: Record<string, number | string> = { surrogate: def.surrogate.name };
  const passing: Record<string, Value | number> = {};
  for (const [name, arg] of Object.entries(def.surrogate.args)) {
    const value = typeof arg === 'number' ? arg : evaluateExpr(arg, scope);
    if (value instanceof Pending || typeof value === 'boolean') {
      throw new InvariantError(`lower: surrogate ${def.surrogate.name}: ${name} must be a number`);
    }
    passing[name] = typeof value === 'number' ? bound(name, value) : value;
    if (typeof value === 'number') attrs[`surrogate_${name}`] = bound(name, value);
  }
  return { surrogate: attrs as SurrogateAttrs, passing };
}

/**
 * Bounds of `ste` are levels, or lie halfway between two, and belong to what passes: 0.29 · 100 is 29, and a membrane of
 * 5.11 passes below 5.11 · 100, which is a little more than 511.
 */
function bound(name: string, value: number): number {
  if (!Number.isFinite(value) || !isWhole(2 * value)) return value;
  const near = Math.round(2 * value) / 2;
  return name === 'hi' ? Math.max(near, value) : name === 'lo' ? Math.min(near, value) : value;
}
