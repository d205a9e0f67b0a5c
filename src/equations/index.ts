export { evaluateExpr, runAssignments } from './emit/evaluate.js';
export { Environment, type Operand, Pending } from './emit/operand.js';
export type { EvaluationScope } from './emit/scope.js';
export { surrogateOf } from './emit/surrogate.js';
export { surrogateArgumentDocs, surrogateProblem, surrogateTable } from '../tensor/index.js';
export { type FunctionName, equationFunctions, functionNamed } from './functions.js';
export { type Range, anything, exactly, isWhole, wholeIfNear } from './ranges.js';
export { valueOf } from './value.js';
export { type Draw, drawing, drawsOf } from './draws.js';
export { expandUnits, maxUnits } from './expand-units.js';
export { levelProblems } from './level-problems.js';
export { type SpikeLevels, isRealValued, spikeLevels } from './levels.js';
export { type UnreachedSurrogate, unreachedSurrogate } from './reach.js';
export { neuronProblems } from './verify.js';
export { type PhaseName, isPhaseName, phaseNames, phaseTable } from './phases.js';
export { parseExpr, parseNeuron } from './parse.js';
export { binaryPrecedence, printExpr, printNeuron, printNumber } from './print.js';
export {
  type Assignment,
  type BinaryOp,
  type Expr,
  type LearnConstraint,
  type LearnScope,
  type NeuronDef,
  type NeuronParam,
  type NeuronState,
  type ParameterRange,
  type NeuronUse,
  type Phase,
  type Surrogate,
  type UnaryOp,
  applyBinary,
  assignmentsOf,
  assignmentsUntilOutput,
  learnConstraints,
  learnScopes,
  neuronParamTypes,
  partsOf,
  phasesOf,
  readsName,
  stepParameter,
  stepwiseParameters,
  thresholdOf,
  withoutRanges,
  withoutSpread,
  type PlaneForm,
  planeDocs,
  planeForms,
} from './types.js';
