import type * as cst from '../../grammar/cst.js';
import type * as ast from './ast.js';
import { ExpressionBuilder, only } from './build-expressions.js';

/** Makes the abstract syntax of declarations whose concrete tree has no errors. */
export class AstBuilder extends ExpressionBuilder {
  declarations(node: cst.ModelFileCstNode): ast.Declaration[] {
    return (node.children.declaration ?? []).map((d) => this.declaration(d));
  }

  private declaration(node: cst.DeclarationCstNode): ast.Declaration {
    const { useDeclaration, blockDeclaration, networkDeclaration, neuronDeclaration, configDeclaration } =
      node.children;
    if (useDeclaration) return this.use(only(useDeclaration));
    if (blockDeclaration) return this.graph('block', only(blockDeclaration));
    if (networkDeclaration) return this.graph('network', only(networkDeclaration));
    if (neuronDeclaration) return this.neuron(only(neuronDeclaration));
    return this.config(only(configDeclaration));
  }

  private use(node: cst.UseDeclarationCstNode): ast.UseDeclaration {
    return {
      kind: 'use',
      path: this.string(node.children.StringLiteral[0]),
      names: node.children.usedName.map((n) => ({
        name: this.name(n.children.name[0]),
        ...(n.children.alias === undefined ? {} : { alias: this.name(n.children.alias[0]) }),
        span: this.nodeSpan(n),
      })),
      span: this.nodeSpan(node),
    };
  }

  private graph(
    kind: 'block' | 'network',
    node: cst.BlockDeclarationCstNode | cst.NetworkDeclarationCstNode,
  ): ast.GraphDeclaration {
    return {
      kind,
      name: this.name(node.children.Identifier[0]),
      parameters: this.parameters(node.children.parameters),
      body: (only(node.children.graphBody).children.graphStatement ?? []).map((s) => this.graphStatement(s)),
      span: this.nodeSpan(node),
    };
  }

  private graphStatement(node: cst.GraphStatementCstNode): ast.GraphStatement {
    const { inputStatement, outputStatement, assignment } = node.children;
    if (inputStatement) {
      const { Identifier, type } = only(inputStatement).children;
      return {
        kind: 'input',
        name: this.name(Identifier[0]),
        ...(type === undefined ? {} : { type: this.type(only(type)) }),
        span: this.nodeSpan(node),
      };
    }
    if (outputStatement) {
      const { Identifier, expression } = only(outputStatement).children;
      return {
        kind: 'output',
        ...(Identifier === undefined ? {} : { name: this.name(Identifier[0]) }),
        value: this.expression(only(expression)),
        span: this.nodeSpan(node),
      };
    }
    return this.assignment(only(assignment));
  }

  private assignment(node: cst.AssignmentCstNode): ast.Assignment {
    return {
      kind: 'assignment',
      name: this.name(node.children.Identifier[0]),
      value: this.expression(only(node.children.expression)),
      span: this.nodeSpan(node),
    };
  }

  private parameters(nodes: readonly cst.ParametersCstNode[] | undefined): ast.Parameter[] {
    return (nodes?.[0]?.children.parameter ?? []).map((p) => ({
      name: this.name(p.children.Identifier[0]),
      ...(p.children.type === undefined ? {} : { type: this.type(only(p.children.type)) }),
      ...(p.children.expression === undefined ? {} : { default: this.expression(only(p.children.expression)) }),
      span: this.nodeSpan(p),
    }));
  }

  private type(node: cst.TypeCstNode): ast.TypeExpression {
    const { Word, list } = node.children;
    return {
      name: this.name(Word[0]),
      ...(list === undefined ? {} : { dimensions: this.list(only(list)).items }),
      span: this.nodeSpan(node),
    };
  }

  private neuron(node: cst.NeuronDeclarationCstNode): ast.NeuronDeclaration {
    return {
      kind: 'neuron',
      name: this.name(node.children.Identifier[0]),
      parameters: this.parameters(node.children.parameters),
      body: (node.children.neuronStatement ?? []).map((s) => this.neuronStatement(s)),
      span: this.nodeSpan(node),
    };
  }

  private neuronStatement(node: cst.NeuronStatementCstNode): ast.NeuronStatement {
    const { currentStatement, stateStatement, phase, surrogateStatement, planesStatement } = node.children;
    const span = this.nodeSpan(node);
    if (currentStatement) {
      return { kind: 'current', name: this.name(only(currentStatement).children.Identifier[0]), span };
    }
    if (stateStatement) {
      const { Identifier, units, initial } = only(stateStatement).children;
      return {
        kind: 'state',
        name: this.name(Identifier[0]),
        ...(units === undefined ? {} : { units: this.expression(only(units)) }),
        initial: this.expression(only(initial)),
        span,
      };
    }
    if (phase) {
      const { phase: word, Detached, assignment } = only(phase).children;
      return {
        kind: 'phase',
        phase: this.name(word?.[0]) as ast.PhaseStatement['phase'],
        ...(Detached === undefined ? {} : { detached: this.tokenSpan(only(Detached)) }),
        assignments: assignment.map((a) => this.assignment(a)),
        span,
      };
    }
    if (planesStatement) {
      return { kind: 'planes', form: this.name(only(planesStatement).children.form[0]), span };
    }
    return { kind: 'surrogate', call: this.call(only(only(surrogateStatement).children.call)), span };
  }

  private config(node: cst.ConfigDeclarationCstNode): ast.ConfigDeclaration {
    const { name, base, settings } = node.children;
    return {
      kind: 'config',
      name: this.name(name[0]),
      ...(base === undefined ? {} : { base: this.name(base[0]) }),
      settings: this.settings(only(settings)),
      span: this.nodeSpan(node),
    };
  }

  private settings(node: cst.SettingsCstNode): ast.Setting[] {
    return (node.children.setting ?? []).map((s) => {
      const { Word, expression, settings } = s.children;
      return {
        kind: 'setting',
        name: this.name(Word[0]),
        ...(expression === undefined ? {} : { value: this.expression(only(expression)) }),
        ...(settings === undefined ? {} : { settings: this.settings(only(settings)) }),
        span: this.nodeSpan(s),
      };
    });
  }
}
