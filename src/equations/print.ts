import type { Assignment, BinaryOp, Expr, NeuronDef, NeuronParam } from './types.js';

const precedence: Readonly<Record<BinaryOp, number>> = {
  or: 1,
  and: 2,
  '<': 4,
  '<=': 4,
  '>': 4,
  '>=': 4,
  '==': 4,
  '!=': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '^': 8,
};
const notLevel = 3;
const minusLevel = 7;

/** How tightly an operator binds, from 1 on; nothing for what is none. */
export function binaryPrecedence(op: BinaryOp): number;
export function binaryPrecedence(text: string): number | undefined;
export function binaryPrecedence(text: string): number | undefined {
  return Object.hasOwn(precedence, text) ? precedence[text as BinaryOp] : undefined;
}

/** Any number so that it reads back as itself, −0 included. */
export function printNumber(value: number): string {
  return Object.is(value, -0) ? '-0' : String(value);
}

function isNegative(value: number): boolean {
  return value < 0 || Object.is(value, -0);
}

/** An equation's right side as text, with as few parentheses as its meaning allows. */
export function printExpr(expr: Expr, least = 0): string {
  switch (expr.kind) {
    case 'number':
      return isNegative(expr.value) && least > minusLevel ? `(${printNumber(expr.value)})` : printNumber(expr.value);
    case 'name':
      return expr.name;
    case 'call': {
      const named = Object.entries(expr.named).map(([name, value]) => `${name}: ${printExpr(value)}`);
      return `${expr.callee}(${[...expr.args.map((arg) => printExpr(arg)), ...named].join(', ')})`;
    }
    case 'unary': {
      const level = expr.op === 'not' ? notLevel : minusLevel;
      // a negated number would read back as one number: keep the operator visible
      const operand =
        expr.op === '-' && expr.operand.kind === 'number'
          ? `(${printExpr(expr.operand)})`
          : printExpr(expr.operand, level);
      const text = expr.op === 'not' ? `not ${operand}` : `-${operand}`;
      return level < least ? `(${text})` : text;
    }
    case 'binary': {
      const level = precedence[expr.op];
      // ^ groups to the right, comparisons not at all, the others to the left
      const left = printExpr(expr.left, expr.op === '^' || level === 4 ? level + 1 : level);
      const right = printExpr(expr.right, expr.op === '^' ? level : level + 1);
      const text = `${left} ${expr.op} ${right}`;
      return level < least ? `(${text})` : text;
    }
  }
}

function printAssignments(phase: string, list: readonly Assignment[]): string[] {
  return list.map(({ target, value }) => `    ${phase} ${target} = ${printExpr(value)}`);
}

function printNeuronParam(param: NeuronParam): string {
  const value = param.default === undefined ? '' : ` = ${printNumber(param.default)}`;
  const { constraint, per } = param.learn ?? {};
  const learn =
    param.learn === undefined ? '' : ` learn${constraint ? ` ${constraint}` : ''}${per ? ` per ${per}` : ''}`;
  const type = param.type === undefined ? '' : ` : ${param.type}`;
  return param.name + type + value + learn;
}

/** A neuron type as a block of the IR's text form. */
export function printNeuron(def: NeuronDef): string {
  const lines = [`  neuron ${def.name}(${def.params.map(printNeuronParam).join(', ')}) {`];
  for (const current of def.currents ?? []) lines.push(`    input ${current}`);
  for (const state of def.states) {
    const units = state.units === undefined ? '' : `[${printExpr(state.units)}]`;
    lines.push(`    state ${state.name}${units} = ${printExpr(state.initial)}`);
  }
  for (const { name, assignments } of def.phases) lines.push(...printAssignments(name, assignments));
  if (def.surrogate !== undefined) {
    const args = Object.entries(def.surrogate.args).map(
      ([name, value]) => `${name}: ${typeof value === 'number' ? printNumber(value) : printExpr(value)}`,
    );
    lines.push(`    surrogate ${def.surrogate.name}(${args.join(', ')})`);
  }
  if (def.detachReset === true) lines.push('    detach reset');
  if (def.planes !== undefined) lines.push(`    planes ${def.planes}`);
  lines.push('  }');
  return lines.join('\n');
}
