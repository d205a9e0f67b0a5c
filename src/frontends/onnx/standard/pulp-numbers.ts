import { tensorConstant } from '../tensor-data.js';
import type { OnnxNode } from '../wire.js';
import type { StandardNodes } from './nodes.js';

/** ONNX's numbers of float32 and double. */
const [float32, float64] = [1, 11];

/** A number that is written as a tensor of one element, or as a plain attribute. */
export function numberOf(node: OnnxNode, name: string, fallback = 0): number {
  const given = node.attributes.get(name);
  if (given?.t !== undefined) return tensorConstant(given.t, { file: '' }, undefined).data()[0] ?? fallback;
  return given?.i ?? given?.f ?? fallback;
}

/** Arithmetic in double precision, in which the integers of PULP's networks are exact. */
export class Doubles {
  constructor(readonly to: StandardNodes) {}

  of(tensor: string): string {
    return this.to.node('Cast', [tensor], { to: float64 });
  }

  /** A number that float32 holds, or the product of two that do. */
  number(value: number): string {
    const near = Math.fround(value);
    if (near === value) return this.of(this.to.float(value));
    return this.do('Add', this.of(this.to.float(near)), this.of(this.to.float(value - near)));
  }

  do(operator: string, ...operands: readonly (string | number)[]): string {
    return this.to.node(
      operator,
      operands.map((operand) => (typeof operand === 'number' ? this.number(operand) : operand)),
    );
  }

  floor(x: string): string {
    return this.do('Floor', x);
  }

  /** Towards zero. */
  truncated(x: string): string {
    return this.do('Mul', this.do('Sign', x), this.floor(this.do('Abs', x)));
  }

  /** Over the last axis, which stays. */
  over(reduction: 'ReduceSum' | 'ReduceMax' | 'ReduceMean', x: string): string {
    const asInput = this.to.opset >= (reduction === 'ReduceSum' ? 13 : 18);
    if (asInput) return this.to.node(reduction, [x, this.to.ints([-1])], { keepdims: 1 });
    return this.to.node(reduction, [x], { axes: [-1], keepdims: 1 });
  }

  /** x held in [min, max]. */
  held(x: string, min: number, max: number): string {
    return this.do('Max', this.do('Min', x, max), min);
  }

  /** The result, as the float32 that these files hold integers in. */
  write(x: string, node: OnnxNode): void {
    this.to.node('Cast', [x], { to: float32 }, node.outputs[0]);
  }
}
