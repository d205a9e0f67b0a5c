import { expect } from 'vitest';
import type { Tensor } from '../../src/base/dtype.js';
import { type Program, evaluate } from '../../src/tensor/index.js';

interface Differentiated {
  readonly program: Program;
  readonly gradients: Readonly<Record<string, string | undefined>>;
}

/**
 * Holds gradients of a loss, in float64, to central differences at `each` drawn places of every parameter that `of` takes: within
 * 1e-5 of their size. Gives how many were looked at.
 */
export function agreesWithSlopes(
  { program, gradients }: Differentiated,
  feeds: Readonly<Record<string, Tensor>>,
  next: () => number,
  { each = 1, of = () => true }: { readonly each?: number; readonly of?: (id: string) => boolean } = {},
): number {
  const at = (id?: string, index = 0, by = 0): Readonly<Record<string, Tensor>> => {
    const params = program.params.map((param) => {
      const data = Float64Array.from(param.data.data);
      if (param.id === id) data[index]! += by;
      return { ...param, data: { dtype: 'f64', shape: param.data.shape, data } as Tensor };
    });
    return evaluate({ ...program, params }, feeds, { precision: 'f64' });
  };
  const found = at();
  let looked = 0;
  for (const { id, data } of program.params) {
    if (gradients[id] === undefined || !of(id)) continue;
    for (let k = 0; k < each; k++) {
      const index = Math.floor(next() * data.data.length);
      const slope = (at(id, index, 1e-6)['loss']!.data[0]! - at(id, index, -1e-6)['loss']!.data[0]!) / 2e-6;
      const gradient = found[`grad.${id}`]!.data[index]!;
      expect(Math.abs(gradient - slope), `${id}[${index}]`).toBeLessThan(1e-8 + 1e-5 * Math.abs(gradient));
      looked++;
    }
  }
  return looked;
}
