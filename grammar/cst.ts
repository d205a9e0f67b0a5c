// Generated from the parser by `npm run grammar`; do not edit.
import type { CstNode, ICstVisitor, IToken } from 'chevrotain';

export interface ModelFileCstNode extends CstNode {
  name: 'modelFile';
  children: ModelFileCstChildren;
}

export type ModelFileCstChildren = {
  declaration?: DeclarationCstNode[];
  EOF: IToken[];
};

export interface DeclarationCstNode extends CstNode {
  name: 'declaration';
  children: DeclarationCstChildren;
}

export type DeclarationCstChildren = {
  useDeclaration?: UseDeclarationCstNode[];
  blockDeclaration?: BlockDeclarationCstNode[];
  networkDeclaration?: NetworkDeclarationCstNode[];
  neuronDeclaration?: NeuronDeclarationCstNode[];
  configDeclaration?: ConfigDeclarationCstNode[];
};

export interface UseDeclarationCstNode extends CstNode {
  name: 'useDeclaration';
  children: UseDeclarationCstChildren;
}

export type UseDeclarationCstChildren = {
  Use: IToken[];
  StringLiteral: IToken[];
  LeftBrace: IToken[];
  usedName: UsedNameCstNode[];
  Comma?: IToken[];
  RightBrace: IToken[];
};

export interface UsedNameCstNode extends CstNode {
  name: 'usedName';
  children: UsedNameCstChildren;
}

export type UsedNameCstChildren = {
  name: IToken[];
  As?: IToken[];
  alias?: IToken[];
};

export interface BlockDeclarationCstNode extends CstNode {
  name: 'blockDeclaration';
  children: BlockDeclarationCstChildren;
}

export type BlockDeclarationCstChildren = {
  Block: IToken[];
  Identifier: IToken[];
  parameters?: ParametersCstNode[];
  graphBody: GraphBodyCstNode[];
};

export interface NetworkDeclarationCstNode extends CstNode {
  name: 'networkDeclaration';
  children: NetworkDeclarationCstChildren;
}

export type NetworkDeclarationCstChildren = {
  Network: IToken[];
  Identifier: IToken[];
  parameters?: ParametersCstNode[];
  graphBody: GraphBodyCstNode[];
};

export interface GraphBodyCstNode extends CstNode {
  name: 'graphBody';
  children: GraphBodyCstChildren;
}

export type GraphBodyCstChildren = {
  LeftBrace: IToken[];
  graphStatement?: GraphStatementCstNode[];
  RightBrace: IToken[];
};

export interface GraphStatementCstNode extends CstNode {
  name: 'graphStatement';
  children: GraphStatementCstChildren;
}

export type GraphStatementCstChildren = {
  inputStatement?: InputStatementCstNode[];
  outputStatement?: OutputStatementCstNode[];
  assignment?: AssignmentCstNode[];
};

export interface InputStatementCstNode extends CstNode {
  name: 'inputStatement';
  children: InputStatementCstChildren;
}

export type InputStatementCstChildren = {
  Input: IToken[];
  Identifier: IToken[];
  Colon?: IToken[];
  type?: TypeCstNode[];
};

export interface OutputStatementCstNode extends CstNode {
  name: 'outputStatement';
  children: OutputStatementCstChildren;
}

export type OutputStatementCstChildren = {
  Output: IToken[];
  Identifier?: IToken[];
  Equals?: IToken[];
  expression: ExpressionCstNode[];
};

export interface AssignmentCstNode extends CstNode {
  name: 'assignment';
  children: AssignmentCstChildren;
}

export type AssignmentCstChildren = {
  Identifier: IToken[];
  Equals: IToken[];
  expression: ExpressionCstNode[];
};

export interface ParametersCstNode extends CstNode {
  name: 'parameters';
  children: ParametersCstChildren;
}

export type ParametersCstChildren = {
  LeftParen: IToken[];
  parameter?: ParameterCstNode[];
  Comma?: IToken[];
  RightParen: IToken[];
};

export interface ParameterCstNode extends CstNode {
  name: 'parameter';
  children: ParameterCstChildren;
}

export type ParameterCstChildren = {
  Identifier: IToken[];
  Colon?: IToken[];
  type?: TypeCstNode[];
  Equals?: IToken[];
  expression?: ExpressionCstNode[];
};

export interface TypeCstNode extends CstNode {
  name: 'type';
  children: TypeCstChildren;
}

export type TypeCstChildren = {
  Word: IToken[];
  list?: ListCstNode[];
};

export interface NeuronDeclarationCstNode extends CstNode {
  name: 'neuronDeclaration';
  children: NeuronDeclarationCstChildren;
}

export type NeuronDeclarationCstChildren = {
  Neuron: IToken[];
  Identifier: IToken[];
  parameters?: ParametersCstNode[];
  LeftBrace: IToken[];
  neuronStatement?: NeuronStatementCstNode[];
  RightBrace: IToken[];
};

export interface NeuronStatementCstNode extends CstNode {
  name: 'neuronStatement';
  children: NeuronStatementCstChildren;
}

export type NeuronStatementCstChildren = {
  currentStatement?: CurrentStatementCstNode[];
  stateStatement?: StateStatementCstNode[];
  phase?: PhaseCstNode[];
  surrogateStatement?: SurrogateStatementCstNode[];
  planesStatement?: PlanesStatementCstNode[];
};

export interface CurrentStatementCstNode extends CstNode {
  name: 'currentStatement';
  children: CurrentStatementCstChildren;
}

export type CurrentStatementCstChildren = {
  Input: IToken[];
  Identifier: IToken[];
};

export interface StateStatementCstNode extends CstNode {
  name: 'stateStatement';
  children: StateStatementCstChildren;
}

export type StateStatementCstChildren = {
  State: IToken[];
  Identifier: IToken[];
  LeftBracket?: IToken[];
  units?: ExpressionCstNode[];
  RightBracket?: IToken[];
  Equals: IToken[];
  initial: ExpressionCstNode[];
};

export interface PhaseCstNode extends CstNode {
  name: 'phase';
  children: PhaseCstChildren;
}

export type PhaseCstChildren = {
  phase?: IToken[];
  Detached?: IToken[];
  assignment: AssignmentCstNode[];
};

export interface SurrogateStatementCstNode extends CstNode {
  name: 'surrogateStatement';
  children: SurrogateStatementCstChildren;
}

export type SurrogateStatementCstChildren = {
  Surrogate: IToken[];
  call: CallCstNode[];
};

export interface PlanesStatementCstNode extends CstNode {
  name: 'planesStatement';
  children: PlanesStatementCstChildren;
}

export type PlanesStatementCstChildren = {
  Planes: IToken[];
  form: IToken[];
};

export interface ConfigDeclarationCstNode extends CstNode {
  name: 'configDeclaration';
  children: ConfigDeclarationCstChildren;
}

export type ConfigDeclarationCstChildren = {
  Config: IToken[];
  name: IToken[];
  Extends?: IToken[];
  base?: IToken[];
  settings: SettingsCstNode[];
};

export interface SettingsCstNode extends CstNode {
  name: 'settings';
  children: SettingsCstChildren;
}

export type SettingsCstChildren = {
  LeftBrace: IToken[];
  setting?: SettingCstNode[];
  RightBrace: IToken[];
};

export interface SettingCstNode extends CstNode {
  name: 'setting';
  children: SettingCstChildren;
}

export type SettingCstChildren = {
  Word: IToken[];
  settings?: SettingsCstNode[];
  expression?: ExpressionCstNode[];
};

export interface ExpressionCstNode extends CstNode {
  name: 'expression';
  children: ExpressionCstChildren;
}

export type ExpressionCstChildren = {
  disjunction: DisjunctionCstNode[];
  Pipe?: IToken[];
  stage?: StageCstNode[];
};

export interface StageCstNode extends CstNode {
  name: 'stage';
  children: StageCstChildren;
}

export type StageCstChildren = {
  repetition?: RepetitionCstNode[];
  call: CallCstNode[];
};

export interface RepetitionCstNode extends CstNode {
  name: 'repetition';
  children: RepetitionCstChildren;
}

export type RepetitionCstChildren = {
  Repeat: IToken[];
  LeftParen: IToken[];
  expression: ExpressionCstNode[];
  RightParen: IToken[];
};

export interface DisjunctionCstNode extends CstNode {
  name: 'disjunction';
  children: DisjunctionCstChildren;
}

export type DisjunctionCstChildren = {
  conjunction: ConjunctionCstNode[];
  Or?: IToken[];
};

export interface ConjunctionCstNode extends CstNode {
  name: 'conjunction';
  children: ConjunctionCstChildren;
}

export type ConjunctionCstChildren = {
  negation: NegationCstNode[];
  And?: IToken[];
};

export interface NegationCstNode extends CstNode {
  name: 'negation';
  children: NegationCstChildren;
}

export type NegationCstChildren = {
  Not?: IToken[];
  comparison: ComparisonCstNode[];
};

export interface ComparisonCstNode extends CstNode {
  name: 'comparison';
  children: ComparisonCstChildren;
}

export type ComparisonCstChildren = {
  sum: SumCstNode[];
  Comparison?: IToken[];
};

export interface SumCstNode extends CstNode {
  name: 'sum';
  children: SumCstChildren;
}

export type SumCstChildren = {
  product: ProductCstNode[];
  operator?: IToken[];
};

export interface ProductCstNode extends CstNode {
  name: 'product';
  children: ProductCstChildren;
}

export type ProductCstChildren = {
  signed: SignedCstNode[];
  operator?: IToken[];
};

export interface SignedCstNode extends CstNode {
  name: 'signed';
  children: SignedCstChildren;
}

export type SignedCstChildren = {
  Minus?: IToken[];
  power: PowerCstNode[];
};

export interface PowerCstNode extends CstNode {
  name: 'power';
  children: PowerCstChildren;
}

export type PowerCstChildren = {
  primary: PrimaryCstNode[];
  Caret?: IToken[];
  exponent?: ExponentCstNode[];
};

export interface ExponentCstNode extends CstNode {
  name: 'exponent';
  children: ExponentCstChildren;
}

export type ExponentCstChildren = {
  Minus?: IToken[];
  primary: PrimaryCstNode[];
};

export interface PrimaryCstNode extends CstNode {
  name: 'primary';
  children: PrimaryCstChildren;
}

export type PrimaryCstChildren = {
  NumberLiteral?: IToken[];
  StringLiteral?: IToken[];
  True?: IToken[];
  False?: IToken[];
  list?: ListCstNode[];
  parenthesis?: ParenthesisCstNode[];
  format?: FormatCstNode[];
  call?: CallCstNode[];
};

export interface FormatCstNode extends CstNode {
  name: 'format';
  children: FormatCstChildren;
}

export type FormatCstChildren = {
  integer: IToken[];
  Dot: IToken[];
  fraction: IToken[];
};

export interface ParenthesisCstNode extends CstNode {
  name: 'parenthesis';
  children: ParenthesisCstChildren;
}

export type ParenthesisCstChildren = {
  LeftParen: IToken[];
  expression: ExpressionCstNode[];
  RightParen: IToken[];
};

export interface ListCstNode extends CstNode {
  name: 'list';
  children: ListCstChildren;
}

export type ListCstChildren = {
  LeftBracket: IToken[];
  expression?: ExpressionCstNode[];
  Comma?: IToken[];
  RightBracket: IToken[];
};

export interface CallCstNode extends CstNode {
  name: 'call';
  children: CallCstChildren;
}

export type CallCstChildren = {
  Identifier: IToken[];
  args?: ArgsCstNode[];
};

export interface ArgsCstNode extends CstNode {
  name: 'args';
  children: ArgsCstChildren;
}

export type ArgsCstChildren = {
  LeftParen: IToken[];
  arg?: ArgCstNode[];
  Comma?: IToken[];
  RightParen: IToken[];
};

export interface ArgCstNode extends CstNode {
  name: 'arg';
  children: ArgCstChildren;
}

export type ArgCstChildren = {
  Word?: IToken[];
  Colon?: IToken[];
  word?: IToken[];
  expression?: ExpressionCstNode[];
};

export interface ICstNodeVisitor<IN, OUT> extends ICstVisitor<IN, OUT> {
  modelFile(children: ModelFileCstChildren, param?: IN): OUT;
  declaration(children: DeclarationCstChildren, param?: IN): OUT;
  useDeclaration(children: UseDeclarationCstChildren, param?: IN): OUT;
  usedName(children: UsedNameCstChildren, param?: IN): OUT;
  blockDeclaration(children: BlockDeclarationCstChildren, param?: IN): OUT;
  networkDeclaration(children: NetworkDeclarationCstChildren, param?: IN): OUT;
  graphBody(children: GraphBodyCstChildren, param?: IN): OUT;
  graphStatement(children: GraphStatementCstChildren, param?: IN): OUT;
  inputStatement(children: InputStatementCstChildren, param?: IN): OUT;
  outputStatement(children: OutputStatementCstChildren, param?: IN): OUT;
  assignment(children: AssignmentCstChildren, param?: IN): OUT;
  parameters(children: ParametersCstChildren, param?: IN): OUT;
  parameter(children: ParameterCstChildren, param?: IN): OUT;
  type(children: TypeCstChildren, param?: IN): OUT;
  neuronDeclaration(children: NeuronDeclarationCstChildren, param?: IN): OUT;
  neuronStatement(children: NeuronStatementCstChildren, param?: IN): OUT;
  currentStatement(children: CurrentStatementCstChildren, param?: IN): OUT;
  stateStatement(children: StateStatementCstChildren, param?: IN): OUT;
  phase(children: PhaseCstChildren, param?: IN): OUT;
  surrogateStatement(children: SurrogateStatementCstChildren, param?: IN): OUT;
  planesStatement(children: PlanesStatementCstChildren, param?: IN): OUT;
  configDeclaration(children: ConfigDeclarationCstChildren, param?: IN): OUT;
  settings(children: SettingsCstChildren, param?: IN): OUT;
  setting(children: SettingCstChildren, param?: IN): OUT;
  expression(children: ExpressionCstChildren, param?: IN): OUT;
  stage(children: StageCstChildren, param?: IN): OUT;
  repetition(children: RepetitionCstChildren, param?: IN): OUT;
  disjunction(children: DisjunctionCstChildren, param?: IN): OUT;
  conjunction(children: ConjunctionCstChildren, param?: IN): OUT;
  negation(children: NegationCstChildren, param?: IN): OUT;
  comparison(children: ComparisonCstChildren, param?: IN): OUT;
  sum(children: SumCstChildren, param?: IN): OUT;
  product(children: ProductCstChildren, param?: IN): OUT;
  signed(children: SignedCstChildren, param?: IN): OUT;
  power(children: PowerCstChildren, param?: IN): OUT;
  exponent(children: ExponentCstChildren, param?: IN): OUT;
  primary(children: PrimaryCstChildren, param?: IN): OUT;
  format(children: FormatCstChildren, param?: IN): OUT;
  parenthesis(children: ParenthesisCstChildren, param?: IN): OUT;
  list(children: ListCstChildren, param?: IN): OUT;
  call(children: CallCstChildren, param?: IN): OUT;
  args(children: ArgsCstChildren, param?: IN): OUT;
  arg(children: ArgCstChildren, param?: IN): OUT;
}
