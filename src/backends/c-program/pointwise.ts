import type { DType } from '../../base/dtype.js';
import { type PrimKind, type TensorOp, attrsOf } from '../../tensor/index.js';

/**
 * C for one element, from its operands `$0`, `$1`, …; undefined for ops that aren't computed element by element. `bounded`: the second
 * operand is known to be a number, no NaN.
 */
export function pointwiseText(op: TensorOp, operand: DType, bounded = false): string | undefined {
  const f32 = op.dtype === 'f32';
  const f = f32 ? 'f' : '';
  const isFloat = f32 || op.dtype === 'f64';
  /** By the double function, rounded once. */
  const through = (name: string): string => (f32 ? `(float)${name}((double)$0)` : `${name}($0)`);
  switch (op.kind as PrimKind) {
    case 'detach':
      return '$0';
    case 'neg':
      return '-$0';
    case 'abs':
      return isFloat ? `__builtin_fabs${f}($0)` : '($0 < 0 ? -$0 : $0)';
    case 'sign':
      return isFloat
        ? `($0 > 0 ? ${f32 ? '1.0f' : '1.0'} : $0 < 0 ? ${f32 ? '-1.0f' : '-1.0'} : $0)`
        : '(($0 > 0) - ($0 < 0))';
    case 'floor':
      return `__builtin_floor${f}($0)`;
    case 'round':
      return `__builtin_rint${f}($0)`;
    case 'exp':
      return through('exp');
    case 'log':
      return through('log');
    case 'tanh':
      return through('tanh');
    case 'atan':
      return through('atan');
    case 'sqrt':
      return `__builtin_sqrt${f}($0)`;
    case 'sigmoid':
      return f32 ? '(float)(1.0 / (1.0 + exp(-(double)$0)))' : '1.0 / (1.0 + exp(-$0))';
    case 'not':
      return '!$0';
    case 'add':
      return '$0 + $1';
    case 'sub':
      return '$0 - $1';
    case 'mul':
      return '$0 * $1';
    case 'div':
      return isFloat ? '$0 / $1' : 'divided($0, $1)';
    case 'pow':
      return f32 ? '(float)pow((double)$0, (double)$1)' : 'pow($0, $1)';
    case 'min':
      if (isFloat && bounded) return '($0 >= $1 ? $1 : $0)';
      return isFloat ? '($0 < $1 || $0 != $0 ? $0 : $1)' : '($0 < $1 ? $0 : $1)';
    case 'max':
      // with one comparison compilers keep it a choice between numbers, also of what another bound gives
      if (isFloat && bounded) return '($0 <= $1 ? $1 : $0)';
      return isFloat ? '($0 > $1 || $0 != $0 ? $0 : $1)' : '($0 > $1 ? $0 : $1)';
    case 'eq':
      return '($0 == $1)';
    case 'ne':
      return '($0 != $1)';
    case 'lt':
      return '($0 < $1)';
    case 'le':
      return '($0 <= $1)';
    case 'gt':
      return '($0 > $1)';
    case 'ge':
      return '($0 >= $1)';
    case 'and':
      return '($0 & $1)';
    case 'or':
      return '($0 | $1)';
    case 'select':
      return '($0 ? $1 : $2)';
    case 'cast':
      return castText(operand, attrsOf(op, 'cast').to);
    default:
      return undefined;
  }
}

function castText(from: DType, to: DType): string {
  if (from === to) return '$0';
  if (to === 'bool') return '($0 != 0)';
  if (to === 'f32') return '(float)$0';
  if (to === 'f64') return '(double)$0';
  if (from === 'bool') return '$0';
  const kind = from === 'f32' || from === 'f64' ? 'real' : 'integer';
  return `saturated_${kind}_${to}($0)`;
}

/** What one element of an op costs, in additions. */
export function costOf(kind: PrimKind): number {
  switch (kind) {
    case 'exp':
    case 'log':
    case 'tanh':
    case 'atan':
    case 'sigmoid':
    case 'pow':
      return 30;
    case 'lookup':
    case 'div':
    case 'sqrt':
      return 5;
    case 'reshape':
    case 'broadcast':
    case 'slice':
    case 'transpose':
    case 'detach':
    case 'concat':
    case 'const':
      return 0;
    default:
      return 1;
  }
}
