import type { PhaseName } from '../equations/phases.js';
import type { Source, Span } from '../base/source.js';

/** A name as the user wrote it, and where. */
export interface Name {
  readonly text: string;
  readonly span: Span;
}

/** `// …` to the end of its line; `text` keeps the slashes. */
export interface Comment {
  readonly text: string;
  readonly span: Span;
}

/** A parsed model file. */
export interface ModelFile {
  readonly source: Source;
  readonly declarations: readonly Declaration[];
  /** What couldn't be read; empty in a file without syntax errors. */
  readonly damaged: readonly DamagedDeclaration[];
  /** In the order of the text. */
  readonly comments: readonly Comment[];
}

/** A declaration with syntax errors: only what it would have declared is known. */
export interface DamagedDeclaration {
  /** Nothing where the word itself is wrong. */
  readonly kind?: Declaration['kind'];
  readonly names: readonly Name[];
  /** Whether it may declare something under a name that can't be read. */
  readonly nameless: boolean;
  readonly span: Span;
}

export type Declaration = UseDeclaration | GraphDeclaration | NeuronDeclaration | ConfigDeclaration;

/** `use "path" { A, B as C }` */
export interface UseDeclaration {
  readonly kind: 'use';
  readonly path: StringExpression;
  readonly names: readonly UsedName[];
  readonly span: Span;
}

export interface UsedName {
  readonly name: Name;
  readonly alias?: Name;
  readonly span: Span;
}

/** A `block` or a `network`: a graph of layers with parameters. */
export interface GraphDeclaration {
  readonly kind: 'block' | 'network';
  readonly name: Name;
  readonly parameters: readonly Parameter[];
  readonly body: readonly GraphStatement[];
  readonly span: Span;
}

export interface Parameter {
  readonly name: Name;
  readonly type?: TypeExpression;
  readonly default?: Expression;
  readonly span: Span;
}

/** `real[3, 32, 32]`, `int`, `block` … */
export interface TypeExpression {
  readonly name: Name;
  readonly dimensions?: readonly Expression[];
  readonly span: Span;
}

export type GraphStatement = InputStatement | OutputStatement | Assignment;

export interface InputStatement {
  readonly kind: 'input';
  readonly name: Name;
  readonly type?: TypeExpression;
  readonly span: Span;
}

export interface OutputStatement {
  readonly kind: 'output';
  readonly name?: Name;
  readonly value: Expression;
  readonly span: Span;
}

export interface Assignment {
  readonly kind: 'assignment';
  readonly name: Name;
  readonly value: Expression;
  readonly span: Span;
}

export interface NeuronDeclaration {
  readonly kind: 'neuron';
  readonly name: Name;
  readonly parameters: readonly Parameter[];
  readonly body: readonly NeuronStatement[];
  readonly span: Span;
}

export type NeuronStatement = CurrentStatement | StateStatement | PhaseStatement | SurrogateStatement | PlanesStatement;

/** `input dendrite`: an input current beside `x`. */
export interface CurrentStatement {
  readonly kind: 'current';
  readonly name: Name;
  readonly span: Span;
}

/** `state u = 0`, or `state u[k] = 0` for k membranes. */
export interface StateStatement {
  readonly kind: 'state';
  readonly name: Name;
  readonly units?: Expression;
  readonly initial: Expression;
  readonly span: Span;
}

export interface PhaseStatement {
  readonly kind: 'phase';
  readonly phase: Name & { readonly text: PhaseName };
  /** The word `detached`, where it was written. */
  readonly detached?: Span;
  readonly assignments: readonly Assignment[];
  readonly span: Span;
}

export interface SurrogateStatement {
  readonly kind: 'surrogate';
  readonly call: CallExpression | NameExpression;
  readonly span: Span;
}

/** `planes unary`: how inference sends spikes of several levels. */
export interface PlanesStatement {
  readonly kind: 'planes';
  readonly form: Name;
  readonly span: Span;
}

export interface ConfigDeclaration {
  readonly kind: 'config';
  readonly name: Name;
  readonly base?: Name;
  readonly settings: readonly Setting[];
  readonly span: Span;
}

/** `name value`, `name { … }` or `name value { … }`. */
export interface Setting {
  readonly kind: 'setting';
  readonly name: Name;
  readonly value?: Expression;
  readonly settings?: readonly Setting[];
  readonly span: Span;
}

export type Expression =
  | NumberExpression
  | StringExpression
  | BoolExpression
  | NameExpression
  | FormatExpression
  | ListExpression
  | CallExpression
  | UnaryExpression
  | BinaryExpression
  | PipeExpression;

export interface NumberExpression {
  readonly kind: 'number';
  readonly value: number;
  /** As written: `1e-4`. */
  readonly text: string;
  readonly span: Span;
}

export interface StringExpression {
  readonly kind: 'string';
  readonly value: string;
  readonly span: Span;
}

export interface BoolExpression {
  readonly kind: 'bool';
  readonly value: boolean;
  readonly span: Span;
}

export interface NameExpression {
  readonly kind: 'name';
  readonly name: string;
  readonly span: Span;
}

/** `integer.fraction`: the bits of a fixed-point number. */
export interface FormatExpression {
  readonly kind: 'format';
  readonly integer: Name;
  readonly fraction: Name;
  readonly span: Span;
}

export interface ListExpression {
  readonly kind: 'list';
  readonly items: readonly Expression[];
  readonly span: Span;
}

export interface Argument {
  readonly name?: Name;
  readonly value: Expression;
  readonly span: Span;
}

export interface CallExpression {
  readonly kind: 'call';
  readonly callee: Name;
  readonly args: readonly Argument[];
  readonly span: Span;
}

export type UnaryOperator = '-' | 'not';
export type BinaryOperator = '+' | '-' | '*' | '/' | '^' | '<' | '<=' | '>' | '>=' | '==' | '!=' | 'and' | 'or';

export interface UnaryExpression {
  readonly kind: 'unary';
  readonly operator: UnaryOperator;
  readonly operand: Expression;
  readonly span: Span;
}

export interface BinaryExpression {
  readonly kind: 'binary';
  readonly operator: BinaryOperator;
  readonly left: Expression;
  readonly right: Expression;
  readonly span: Span;
}

/** `x | conv(32) | repeat(2) Block(32)` */
export interface PipeExpression {
  readonly kind: 'pipe';
  readonly source: Expression;
  readonly stages: readonly Stage[];
  readonly span: Span;
}

export interface Stage {
  /** Counts of the `repeat`s before the call, outermost first. */
  readonly repeats: readonly Expression[];
  readonly call: CallExpression | NameExpression;
  readonly span: Span;
}
