export {
  Environment,
  type EvaluationScope,
  type Operand,
  Pending,
  evaluateExpr,
  runAssignments,
} from './emit/evaluate.js';
export { expandUnits, maxUnits } from './expand-units.js';
export { levelProblems } from './level-problems.js';
export { type SpikeLevels, spikeLevels } from './levels.js';
export { parseExpr, parseNeuron } from './parse.js';
export { printExpr, printNeuron, printNumber } from './print.js';
export {
  type Assignment,
  type BinaryOp,
  type Expr,
  type LearnConstraint,
  type NeuronDef,
  type NeuronParam,
  type NeuronState,
  type NeuronUse,
  type Surrogate,
  type UnaryOp,
  applyBinary,
  learnConstraints,
  neuronParamTypes,
  partsOf,
  stepParameter,
  thresholdOf,
} from './types.js';
