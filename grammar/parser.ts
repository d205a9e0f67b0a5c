import { CstParser, EOF, type IParserConfig } from 'chevrotain';
import * as t from './tokens.js';

/**
 * The grammar of the language, with no meaning attached. Operators are loops, not recursion, so
 * the parser's depth grows with the nesting of brackets alone.
 */
export class SpikeParser extends CstParser {
  constructor(config: IParserConfig = {}) {
    super(t.tokens, { recoveryEnabled: true, maxLookahead: 2, ...config });
    this.performSelfAnalysis();
  }

  readonly modelFile = this.RULE('modelFile', () => {
    this.MANY(() => this.SUBRULE(this.declaration));
    this.CONSUME(EOF);
  });

  readonly declaration = this.RULE('declaration', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.useDeclaration) },
      { ALT: () => this.SUBRULE(this.blockDeclaration) },
      { ALT: () => this.SUBRULE(this.networkDeclaration) },
      { ALT: () => this.SUBRULE(this.neuronDeclaration) },
      { ALT: () => this.SUBRULE(this.configDeclaration) },
    ]);
  });

  readonly useDeclaration = this.RULE('useDeclaration', () => {
    this.CONSUME(t.Use);
    this.CONSUME(t.StringLiteral);
    this.CONSUME(t.LeftBrace);
    this.SUBRULE(this.usedName);
    this.MANY(() => {
      this.CONSUME(t.Comma);
      this.SUBRULE2(this.usedName);
    });
    this.OPTION(() => this.CONSUME2(t.Comma));
    this.CONSUME(t.RightBrace);
  });

  readonly usedName = this.RULE('usedName', () => {
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.OPTION(() => {
      this.CONSUME(t.As);
      this.CONSUME2(t.Identifier, { LABEL: 'alias' });
    });
  });

  readonly blockDeclaration = this.RULE('blockDeclaration', () => {
    this.CONSUME(t.Block);
    this.CONSUME(t.Identifier);
    this.OPTION(() => this.SUBRULE(this.parameters));
    this.SUBRULE(this.graphBody);
  });

  readonly networkDeclaration = this.RULE('networkDeclaration', () => {
    this.CONSUME(t.Network);
    this.CONSUME(t.Identifier);
    this.OPTION(() => this.SUBRULE(this.parameters));
    this.SUBRULE(this.graphBody);
  });

  readonly graphBody = this.RULE('graphBody', () => {
    this.CONSUME(t.LeftBrace);
    this.MANY(() => this.SUBRULE(this.graphStatement));
    this.CONSUME(t.RightBrace);
  });

  readonly graphStatement = this.RULE('graphStatement', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.inputStatement) },
      { ALT: () => this.SUBRULE(this.outputStatement) },
      { ALT: () => this.SUBRULE(this.assignment) },
    ]);
  });

  readonly inputStatement = this.RULE('inputStatement', () => {
    this.CONSUME(t.Input);
    this.CONSUME(t.Identifier);
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE(this.type);
    });
  });

  readonly outputStatement = this.RULE('outputStatement', () => {
    this.CONSUME(t.Output);
    this.OPTION(() => {
      this.CONSUME(t.Identifier);
      this.CONSUME(t.Equals);
    });
    this.SUBRULE(this.expression);
  });

  readonly assignment = this.RULE('assignment', () => {
    this.CONSUME(t.Identifier);
    this.CONSUME(t.Equals);
    this.SUBRULE(this.expression);
  });

  readonly parameters = this.RULE('parameters', () => {
    this.CONSUME(t.LeftParen);
    this.OPTION(() => {
      this.SUBRULE(this.parameter);
      this.MANY(() => {
        this.CONSUME(t.Comma);
        this.SUBRULE2(this.parameter);
      });
      this.OPTION2(() => this.CONSUME2(t.Comma));
    });
    this.CONSUME(t.RightParen);
  });

  readonly parameter = this.RULE('parameter', () => {
    this.CONSUME(t.Identifier);
    this.OPTION(() => {
      this.CONSUME(t.Colon);
      this.SUBRULE(this.type);
    });
    this.OPTION2(() => {
      this.CONSUME(t.Equals);
      this.SUBRULE(this.expression);
    });
  });

  readonly type = this.RULE('type', () => {
    this.CONSUME(t.Word);
    this.OPTION(() => this.SUBRULE(this.list));
  });

  readonly neuronDeclaration = this.RULE('neuronDeclaration', () => {
    this.CONSUME(t.Neuron);
    this.CONSUME(t.Identifier);
    this.OPTION(() => this.SUBRULE(this.parameters));
    this.CONSUME(t.LeftBrace);
    this.MANY(() => this.SUBRULE(this.neuronStatement));
    this.CONSUME(t.RightBrace);
  });

  readonly neuronStatement = this.RULE('neuronStatement', () => {
    this.OR([
      { ALT: () => this.SUBRULE(this.currentStatement) },
      { ALT: () => this.SUBRULE(this.stateStatement) },
      { ALT: () => this.SUBRULE(this.phase) },
      { ALT: () => this.SUBRULE(this.surrogateStatement) },
      { ALT: () => this.SUBRULE(this.planesStatement) },
    ]);
  });

  /** A further input current, beside `x`. */
  readonly currentStatement = this.RULE('currentStatement', () => {
    this.CONSUME(t.Input);
    this.CONSUME(t.Identifier);
  });

  readonly stateStatement = this.RULE('stateStatement', () => {
    this.CONSUME(t.State);
    this.CONSUME(t.Identifier);
    this.OPTION(() => {
      this.CONSUME(t.LeftBracket);
      this.SUBRULE(this.expression, { LABEL: 'units' });
      this.CONSUME(t.RightBracket);
    });
    this.CONSUME(t.Equals);
    this.SUBRULE2(this.expression, { LABEL: 'initial' });
  });

  readonly phase = this.RULE('phase', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.Charge, { LABEL: 'phase' }) },
      { ALT: () => this.CONSUME(t.Fire, { LABEL: 'phase' }) },
      { ALT: () => this.CONSUME(t.Reset, { LABEL: 'phase' }) },
    ]);
    this.OPTION(() => this.CONSUME(t.Detached));
    this.AT_LEAST_ONE({
      // `planes` begins a statement unless a value of this name is assigned
      GATE: () => this.LA(1).tokenType !== t.Planes || this.LA(2).tokenType === t.Equals,
      DEF: () => this.SUBRULE(this.assignment),
    });
  });

  readonly surrogateStatement = this.RULE('surrogateStatement', () => {
    this.CONSUME(t.Surrogate);
    this.SUBRULE(this.call);
  });

  readonly planesStatement = this.RULE('planesStatement', () => {
    this.CONSUME(t.Planes);
    this.CONSUME(t.Identifier, { LABEL: 'form' });
  });

  readonly configDeclaration = this.RULE('configDeclaration', () => {
    this.CONSUME(t.Config);
    this.CONSUME(t.Identifier, { LABEL: 'name' });
    this.OPTION(() => {
      this.CONSUME(t.Extends);
      this.CONSUME2(t.Identifier, { LABEL: 'base' });
    });
    this.SUBRULE(this.settings);
  });

  readonly settings = this.RULE('settings', () => {
    this.CONSUME(t.LeftBrace);
    this.MANY(() => this.SUBRULE(this.setting));
    this.CONSUME(t.RightBrace);
  });

  readonly setting = this.RULE('setting', () => {
    this.CONSUME(t.Word);
    this.OR([
      { ALT: () => this.SUBRULE(this.settings) },
      {
        ALT: () => {
          this.SUBRULE(this.expression);
          this.OPTION(() => this.SUBRULE2(this.settings));
        },
      },
    ]);
  });

  /** A value sent through layers, one after the other. */
  readonly expression = this.RULE('expression', () => {
    this.SUBRULE(this.disjunction);
    this.MANY(() => {
      this.CONSUME(t.Pipe);
      this.SUBRULE(this.stage);
    });
  });

  readonly stage = this.RULE('stage', () => {
    this.MANY(() => this.SUBRULE(this.repetition));
    this.SUBRULE(this.call);
  });

  readonly repetition = this.RULE('repetition', () => {
    this.CONSUME(t.Repeat);
    this.CONSUME(t.LeftParen);
    this.SUBRULE(this.expression);
    this.CONSUME(t.RightParen);
  });

  readonly disjunction = this.RULE('disjunction', () => {
    this.SUBRULE(this.conjunction);
    this.MANY(() => {
      this.CONSUME(t.Or);
      this.SUBRULE2(this.conjunction);
    });
  });

  readonly conjunction = this.RULE('conjunction', () => {
    this.SUBRULE(this.negation);
    this.MANY(() => {
      this.CONSUME(t.And);
      this.SUBRULE2(this.negation);
    });
  });

  readonly negation = this.RULE('negation', () => {
    this.MANY(() => this.CONSUME(t.Not));
    this.SUBRULE(this.comparison);
  });

  readonly comparison = this.RULE('comparison', () => {
    this.SUBRULE(this.sum);
    this.OPTION(() => {
      this.CONSUME(t.Comparison);
      this.SUBRULE2(this.sum);
    });
  });

  readonly sum = this.RULE('sum', () => {
    this.SUBRULE(this.product);
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(t.Plus, { LABEL: 'operator' }) },
        { ALT: () => this.CONSUME(t.Minus, { LABEL: 'operator' }) },
      ]);
      this.SUBRULE2(this.product);
    });
  });

  readonly product = this.RULE('product', () => {
    this.SUBRULE(this.signed);
    this.MANY(() => {
      this.OR([
        { ALT: () => this.CONSUME(t.Star, { LABEL: 'operator' }) },
        { ALT: () => this.CONSUME(t.Slash, { LABEL: 'operator' }) },
      ]);
      this.SUBRULE2(this.signed);
    });
  });

  readonly signed = this.RULE('signed', () => {
    this.MANY(() => this.CONSUME(t.Minus));
    this.SUBRULE(this.power);
  });

  /** `-a ^ b` is −(aᵇ); `a ^ -b` and `a ^ b ^ c` = a ^ (b ^ c) are allowed. */
  readonly power = this.RULE('power', () => {
    this.SUBRULE(this.primary);
    this.MANY(() => {
      this.CONSUME(t.Caret);
      this.SUBRULE(this.exponent);
    });
  });

  readonly exponent = this.RULE('exponent', () => {
    this.MANY(() => this.CONSUME(t.Minus));
    this.SUBRULE(this.primary);
  });

  readonly primary = this.RULE('primary', () => {
    this.OR([
      { ALT: () => this.CONSUME(t.NumberLiteral) },
      { ALT: () => this.CONSUME(t.StringLiteral) },
      { ALT: () => this.CONSUME(t.True) },
      { ALT: () => this.CONSUME(t.False) },
      { ALT: () => this.SUBRULE(this.list) },
      { ALT: () => this.SUBRULE(this.parenthesis) },
      { ALT: () => this.SUBRULE(this.format) },
      { ALT: () => this.SUBRULE(this.call) },
    ]);
  });

  /** Integer and fraction bits of a fixed-point number: `integer.fraction`. */
  readonly format = this.RULE('format', () => {
    this.CONSUME(t.Identifier, { LABEL: 'integer' });
    this.CONSUME(t.Dot);
    this.CONSUME2(t.Identifier, { LABEL: 'fraction' });
  });

  readonly parenthesis = this.RULE('parenthesis', () => {
    this.CONSUME(t.LeftParen);
    this.SUBRULE(this.expression);
    this.CONSUME(t.RightParen);
  });

  readonly list = this.RULE('list', () => {
    this.CONSUME(t.LeftBracket);
    this.OPTION(() => {
      this.SUBRULE(this.expression);
      this.MANY(() => {
        this.CONSUME(t.Comma);
        this.SUBRULE2(this.expression);
      });
      this.OPTION2(() => this.CONSUME2(t.Comma));
    });
    this.CONSUME(t.RightBracket);
  });

  /** A name, or a name with arguments. */
  readonly call = this.RULE('call', () => {
    this.CONSUME(t.Identifier);
    this.OPTION(() => this.SUBRULE(this.args));
  });

  readonly args = this.RULE('args', () => {
    this.CONSUME(t.LeftParen);
    this.OPTION(() => {
      this.SUBRULE(this.arg);
      this.MANY(() => {
        this.CONSUME(t.Comma);
        this.SUBRULE2(this.arg);
      });
      this.OPTION2(() => this.CONSUME2(t.Comma));
    });
    this.CONSUME(t.RightParen);
  });

  readonly arg = this.RULE('arg', () => {
    this.OPTION(() => {
      this.CONSUME(t.Word);
      this.CONSUME(t.Colon);
    });
    // a word of the language that is a value: `per: neuron`
    this.OR([{ ALT: () => this.CONSUME(t.Neuron, { LABEL: 'word' }) }, { ALT: () => this.SUBRULE(this.expression) }]);
  });
}
