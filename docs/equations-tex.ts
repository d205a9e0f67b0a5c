import { type Assignment, type BinaryOp, type Expr, type NeuronDef, binaryPrecedence } from '../src/equations/index.js';

const greek = ['alpha', 'beta', 'gamma', 'delta', 'theta', 'kappa', 'lambda', 'rho', 'sigma', 'tau', 'omega'];

const operators: Readonly<Record<Exclude<BinaryOp, '/' | '^'>, string>> = {
  or: String.raw`\lor`,
  and: String.raw`\land`,
  '<': '<',
  '<=': String.raw`\le`,
  '>': '>',
  '>=': String.raw`\ge`,
  '==': '=',
  '!=': String.raw`\ne`,
  '+': '+',
  '-': '-',
  '*': String.raw`\cdot`,
};

/** A neuron's charge, fire and reset as TeX, line by line under each other: what the compiler compiles. */
export function neuronTex({ phases, states }: NeuronDef): string {
  const units = new Set(states.filter(({ units: many }) => many !== undefined).map(({ name }) => name));
  const memory = new Set(states.map(({ name }) => name));
  for (const { target, value } of phases.flatMap(({ assignments }) => assignments))
    if (namesIn(value).some((name) => units.has(name) || name === 'unit') && !isSum(value)) units.add(target);
  const rows = phases.flatMap(({ name, assignments }) =>
    assignments.map((one, i) => {
      const said = i === 0 ? String.raw`\text{${name}}` : '';
      return String.raw`${said} & ${assignmentTex(one, memory, units)}`;
    }),
  );
  return String.raw`\begin{array}{ll} ${rows.join(String.raw` \\[4pt] `)} \end{array}`;
}

function assignmentTex({ target, value }: Assignment, memory: ReadonlySet<string>, units: ReadonlySet<string>): string {
  const arrow = memory.has(target) ? String.raw`\leftarrow` : '=';
  return `${nameTex(target, units)} ${arrow} ${exprTex(value, units)}`;
}

/** An expression as TeX, with as few parentheses as its meaning allows; `units` are the names that have an index i. */
export function exprTex(expr: Expr, units: ReadonlySet<string> = new Set(), least = 0): string {
  const tex = (one: Expr, level = 0): string => exprTex(one, units, level);
  switch (expr.kind) {
    case 'number':
      return expr.value < 0 && least > 5 ? `(${expr.value})` : String(expr.value);
    case 'name':
      return nameTex(expr.name, units);
    case 'unary': {
      const text = expr.op === 'not' ? String.raw`\lnot ${tex(expr.operand, 3)}` : `-${tex(expr.operand, 7)}`;
      return least > 5 ? parenthesised(text) : text;
    }
    case 'call':
      return callTex(expr, tex);
    case 'binary': {
      const { op, left, right } = expr;
      const level = binaryPrecedence(op);
      if (op === '/' || op === '^') {
        const made =
          op === '/' ? String.raw`\dfrac{${tex(left)}}{${tex(right)}}` : `{${tex(left, level + 1)}}^{${tex(right)}}`;
        // only the base of a power shows where neither ends
        return least > binaryPrecedence('^') ? parenthesised(made) : made;
      }
      const text = `${tex(left, level)} ${operators[op]} ${tex(right, level + 1)}`;
      // a comparison counts as 1 or 0
      if (level === 4 && (least === 0 || least > 4)) return `[${text}]`;
      return level < least ? parenthesised(text) : text;
    }
  }
}

function callTex(
  { callee, args, named }: Extract<Expr, { kind: 'call' }>,
  tex: (expr: Expr, level?: number) => string,
): string {
  const [a, b, c] = args;
  if (callee === 'where') return casesTex([a!, b!, c!], tex);
  if (callee === 'floor') return String.raw`\left\lfloor ${tex(a!)} \right\rfloor`;
  if (callee === 'round') return String.raw`\left\lfloor ${tex(a!)} \right\rceil`;
  if (callee === 'abs') return String.raw`\left| ${tex(a!)} \right|`;
  if (callee === 'sqrt') return String.raw`\sqrt{${tex(a!)}}`;
  if (callee === 'exp') return String.raw`e^{${tex(a!)}}`;
  if (callee === 'sigmoid') return String.raw`\sigma ${parenthesised(tex(a!))}`;
  if (callee === 'sum') return String.raw`\sum_i ${tex(a!, 6)}`;
  if (callee === 'detach') return tex(a!, 9);
  if (callee === 'levels') return levelsTex(a!, named, tex);
  const all = [...args.map((one) => tex(one)), ...Object.entries(named).map(([name, one]) => `${name}: ${tex(one)}`)];
  return String.raw`\operatorname{${callee}} ${parenthesised(all.join(', '))}`;
}

/** `where` in `where` is one brace with several lines. */
function casesTex(
  [condition, yes, no]: readonly [Expr, Expr, Expr],
  tex: (expr: Expr, level?: number) => string,
): string {
  const rows = [[tex(yes), tex(condition, 1)]];
  let rest = no;
  while (rest.kind === 'call' && rest.callee === 'where') {
    rows.push([tex(rest.args[1]!), tex(rest.args[0]!, 1)]);
    rest = rest.args[2]!;
  }
  const lines = rows.map(([value, when]) => String.raw`${value} & \text{if } ${when}`);
  return String.raw`\begin{cases} ${[...lines, String.raw`${tex(rest)} & \text{otherwise}`].join(String.raw` \\ `)} \end{cases}`;
}

function levelsTex(
  value: Expr,
  { min, max, step }: Readonly<Record<string, Expr>>,
  tex: (expr: Expr, level?: number) => string,
): string {
  const one = step === undefined || (step.kind === 'number' && step.value === 1);
  const counted = one ? tex(value) : tex(quotient(value, step));
  const bounds = [min, max].map((bound) => (bound === undefined ? '0' : tex(bound)));
  const code = String.raw`\operatorname{clip}\left(\left\lfloor ${counted} \right\rfloor, ${bounds.join(', ')}\right)`;
  return one ? code : String.raw`${tex(step, 6)} \cdot ${code}`;
}

/** value/step; times 2ⁿ for a step of 2⁻ⁿ. */
function quotient(value: Expr, step: Expr): Expr {
  if (step.kind === 'binary' && step.op === '^' && step.right.kind === 'unary' && step.right.op === '-')
    return { kind: 'binary', op: '*', left: { ...step, right: step.right.operand }, right: value };
  return { kind: 'binary', op: '/', left: value, right: step };
}

function parenthesised(text: string): string {
  return String.raw`\left( ${text} \right)`;
}

function nameTex(name: string, units: ReadonlySet<string>): string {
  if (name === 'unit') return 'i';
  const written = greek.includes(name) ? `\\${name}` : name.length === 1 ? name : wordTex(name);
  return units.has(name) ? `${written}_i` : written;
}

/** `a0` as a with an index; longer names as words. */
function wordTex(name: string): string {
  const [, letter, index] = /^([A-Za-z])(\d+)$/.exec(name) ?? [];
  return letter === undefined ? String.raw`\mathrm{${name.replaceAll('_', String.raw`\_`)}}` : `${letter}_{${index}}`;
}

function isSum(expr: Expr): boolean {
  return expr.kind === 'call' && expr.callee === 'sum';
}

function namesIn(expr: Expr): readonly string[] {
  switch (expr.kind) {
    case 'number':
      return [];
    case 'name':
      return [expr.name];
    case 'unary':
      return namesIn(expr.operand);
    case 'binary':
      return [...namesIn(expr.left), ...namesIn(expr.right)];
    case 'call':
      return [...expr.args, ...Object.values(expr.named)].flatMap(namesIn);
  }
}
