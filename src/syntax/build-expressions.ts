import type { CstNode, IToken } from 'chevrotain';
import type * as cst from '../../grammar/cst.js';
import { present } from '../base/invariant.js';
import type { Source, Span } from '../base/source.js';
import type * as ast from './ast.js';

/** How deeply expressions may nest; phases after this one recurse over them. */
export const maxExpressionDepth = 400;

/** Spans, names and expressions from a concrete syntax tree that has no errors. */
export class ExpressionBuilder {
  /** Places where an expression nests deeper than {@link maxExpressionDepth}. */
  readonly tooDeep: Span[] = [];
  protected readonly source: Source;
  readonly #depth = new WeakMap<ast.Expression, number>();

  constructor(source: Source) {
    this.source = source;
  }

  protected span(start: number, end: number): Span {
    return { source: this.source, start, end };
  }

  protected tokenSpan(token: IToken): Span {
    return this.span(token.startOffset, token.startOffset + token.image.length);
  }

  /** From the first to the last token below `node`. */
  protected nodeSpan(node: CstNode): Span {
    const location = present(node.location, 'syntax: a node has no location');
    return this.span(location.startOffset, present(location.endOffset, 'syntax: a node has no end') + 1);
  }

  protected name(token: IToken | undefined): ast.Name {
    const found = present(token, 'syntax: a name is missing');
    return { text: found.image, span: this.tokenSpan(found) };
  }

  protected string(token: IToken | undefined): ast.StringExpression {
    const found = present(token, 'syntax: a string is missing');
    return { kind: 'string', value: unescapeString(found.image), span: this.tokenSpan(found) };
  }

  expression(node: cst.ExpressionCstNode): ast.Expression {
    const { disjunction, stage } = node.children;
    const source = this.disjunction(only(disjunction));
    if (stage === undefined) return source;
    const pipe: ast.PipeExpression = {
      kind: 'pipe',
      source,
      stages: stage.map((s) => this.stage(s)),
      span: this.nodeSpan(node),
    };
    return this.nest(pipe, [source, ...pipe.stages.map((s) => s.call)]);
  }

  private stage(node: cst.StageCstNode): ast.Stage {
    return {
      repeats: (node.children.repetition ?? []).map((r) => this.expression(only(r.children.expression))),
      call: this.call(only(node.children.call)),
      span: this.nodeSpan(node),
    };
  }

  private disjunction(node: cst.DisjunctionCstNode): ast.Expression {
    return this.chain(
      node.children.conjunction.map((c) => this.conjunction(c)),
      () => 'or',
    );
  }

  private conjunction(node: cst.ConjunctionCstNode): ast.Expression {
    return this.chain(
      node.children.negation.map((n) => this.negation(n)),
      () => 'and',
    );
  }

  private negation(node: cst.NegationCstNode): ast.Expression {
    return this.prefixed('not', node.children.Not, this.comparison(only(node.children.comparison)));
  }

  private comparison(node: cst.ComparisonCstNode): ast.Expression {
    const operands = node.children.sum.map((s) => this.sum(s));
    return this.chain(operands, () => only(node.children.Comparison).image as ast.BinaryOperator);
  }

  private sum(node: cst.SumCstNode): ast.Expression {
    const operands = node.children.product.map((p) => this.product(p));
    return this.chain(operands, (i) => operatorAt(node.children.operator, i));
  }

  private product(node: cst.ProductCstNode): ast.Expression {
    const operands = node.children.signed.map((s) => this.signed(s));
    return this.chain(operands, (i) => operatorAt(node.children.operator, i));
  }

  private signed(node: cst.SignedCstNode): ast.Expression {
    return this.prefixed('-', node.children.Minus, this.power(only(node.children.power)));
  }

  private power(node: cst.PowerCstNode): ast.Expression {
    const exponents = (node.children.exponent ?? []).map((e) =>
      this.prefixed('-', e.children.Minus, this.primary(only(e.children.primary))),
    );
    const operands = [this.primary(only(node.children.primary)), ...exponents];
    return operands.reduceRight((right, left) => this.binary('^', left, right));
  }

  private primary(node: cst.PrimaryCstNode): ast.Expression {
    const { NumberLiteral, StringLiteral, True, False, list, parenthesis, format, call } = node.children;
    if (NumberLiteral) return this.number(only(NumberLiteral));
    if (StringLiteral) return this.string(only(StringLiteral));
    if (True) return { kind: 'bool', value: true, span: this.tokenSpan(only(True)) };
    if (False) return { kind: 'bool', value: false, span: this.tokenSpan(only(False)) };
    if (list) return this.list(only(list));
    if (parenthesis) return this.expression(only(only(parenthesis).children.expression));
    if (format) return this.format(only(format));
    return this.call(only(call));
  }

  private number(token: IToken): ast.NumberExpression {
    return { kind: 'number', value: Number(token.image), text: token.image, span: this.tokenSpan(token) };
  }

  private format(node: cst.FormatCstNode): ast.FormatExpression {
    return {
      kind: 'format',
      integer: this.name(node.children.integer[0]),
      fraction: this.name(node.children.fraction[0]),
      span: this.nodeSpan(node),
    };
  }

  protected list(node: cst.ListCstNode): ast.ListExpression {
    const items = (node.children.expression ?? []).map((e) => this.expression(e));
    return this.nest({ kind: 'list', items, span: this.nodeSpan(node) }, items);
  }

  protected call(node: cst.CallCstNode): ast.CallExpression | ast.NameExpression {
    const callee = this.name(node.children.Identifier[0]);
    if (node.children.args === undefined) return { kind: 'name', name: callee.text, span: callee.span };
    const args = (only(node.children.args).children.arg ?? []).map((a) => this.argument(a));
    return this.nest(
      { kind: 'call', callee, args, span: this.nodeSpan(node) },
      args.map((a) => a.value),
    );
  }

  private argument(node: cst.ArgCstNode): ast.Argument {
    const { Word, word, expression } = node.children;
    const value = (): ast.Expression => {
      if (word === undefined) return this.expression(only(expression));
      const { text, span } = this.name(word[0]);
      return { kind: 'name', name: text, span };
    };
    return {
      ...(Word === undefined ? {} : { name: this.name(Word[0]) }),
      value: value(),
      span: this.nodeSpan(node),
    };
  }

  private chain(operands: readonly ast.Expression[], operator: (index: number) => ast.BinaryOperator): ast.Expression {
    return operands.reduce((left, right, i) => this.binary(operator(i - 1), left, right));
  }

  private binary(operator: ast.BinaryOperator, left: ast.Expression, right: ast.Expression): ast.Expression {
    const span = this.span(left.span.start, right.span.end);
    return this.nest({ kind: 'binary', operator, left, right, span }, [left, right]);
  }

  private prefixed(
    operator: ast.UnaryOperator,
    tokens: readonly IToken[] | undefined,
    operand: ast.Expression,
  ): ast.Expression {
    return (tokens ?? []).reduceRight<ast.Expression>((inner, token) => {
      const span = this.span(token.startOffset, inner.span.end);
      return this.nest({ kind: 'unary', operator, operand: inner, span }, [inner]);
    }, operand);
  }

  private nest<E extends ast.Expression>(expression: E, children: readonly ast.Expression[]): E {
    const depth = 1 + children.reduce((most, child) => Math.max(most, this.#depth.get(child) ?? 1), 0);
    this.#depth.set(expression, depth);
    if (depth === maxExpressionDepth + 1) this.tooDeep.push(expression.span);
    return expression;
  }
}

/** The value a string literal stands for. */
export function unescapeString(image: string): string {
  const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t' };
  return image.slice(1, -1).replace(/\\(.)/g, (_, c: string) => escapes[c] ?? c);
}

/** The child a grammar rule always has. */
export function only<T>(children: readonly T[] | undefined): T {
  return present(children?.[0], 'syntax: a part of the tree is missing');
}

function operatorAt(tokens: readonly IToken[] | undefined, index: number): ast.BinaryOperator {
  return present(tokens?.[index], 'syntax: an operator is missing').image as ast.BinaryOperator;
}
