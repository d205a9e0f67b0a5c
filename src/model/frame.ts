import type { Span } from '../base/source.js';
import type { GraphDeclaration } from '../syntax/index.js';
import type { Ahead } from './ahead.js';
import type { EvaluationContext } from './evaluate.js';
import type { IdScope } from './ids.js';
import type { Declared } from './declared.js';
import type { Value } from './values.js';

/** Where expansion stands: whose body, and what its ids begin with. */
export interface Frame {
  readonly declared: Declared<GraphDeclaration>;
  readonly outer?: Frame;
  /** How many blocks are around this body. */
  readonly depth: number;
  readonly ids: IdScope;
  /** Names bound so far in this body. */
  readonly bound: Map<string, Value>;
  readonly context: EvaluationContext;
  /** Nothing of it stays: it finds out a shape. */
  readonly trial: boolean;
  /** How many errors there were when its statement began. */
  readonly begun: { errors: number };
  /** Values that were read before they were bound, by name. */
  readonly ahead: Map<string, Ahead>;
}

/** How many inputs a graph has. */
export function inputsOf({ declaration }: Declared<GraphDeclaration>): number {
  return declaration.body.filter((statement) => statement.kind === 'input').length;
}

/** The block that a frame is the body of, for diagnostics. */
export function blockTrail(frame: Frame): { place: Span; message: string }[] {
  const { declaration } = frame.declared;
  if (declaration.kind === 'network') return [];
  return [{ place: declaration.name.span, message: `in the block \`${declaration.name.text}\`` }];
}
