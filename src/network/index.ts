export { learnsBits, mostOf, roundedWithin, wholeOf } from './bits.js';
export {
  type Algebra,
  type FunctionName,
  type FunctionNumbers,
  type FunctionRow,
  functionNames,
  functions,
  isFunctionName,
  numbers,
} from './functions.js';
export { NetworkBuilder, type NewOp, makeOp } from './builder.js';
export {
  type Interval,
  hasGrid,
  intervalOf,
  intervalSource,
  productOfIntervals,
  resultBounds,
  rowBounds,
} from './intervals.js';
export { scheduled } from './schedule.js';
export { inferType } from './infer-type.js';
export {
  consumersOf,
  inOrder,
  isFiringLayer,
  isNeuronLayer,
  criticalPathOf,
  latencyOf,
  opsById,
  squeezeBehind,
  withoutDeadOps,
} from './graph.js';
export {
  type OpAttrs,
  type OpDef,
  type OpKind,
  type Link,
  type OpRole,
  type OpTraits,
  firesOf,
  isFlattening,
  isJoinedTrain,
  isMaximum,
  linksOf,
  macsOf,
  sourceOf,
  roleOf,
  boundsOf,
  isSteady,
  hasWeightMatrix,
  readsAhead,
  traitsOf,
  isOpKind,
  networkOps,
  numberAttr,
  opDef,
  productTerms,
  opKinds,
  sameShape,
  shapeText,
  type KindsOf,
  type WeightedKind,
  asImage,
  attrsOf,
  channelAxisOf,
  fixedParamsOf,
  isTimed,
  type TimeKind,
  pads,
  type PaddedKind,
  hasRole,
  type Quantiser,
  codesOf,
  lookedUp,
  digitOf,
  digitOfNumber,
  algebraOf,
  alongAxis,
  type GroupFunction,
  type SoftmaxForm,
  integerNormOf,
  integerSoftmaxOf,
  layerNormOf,
  softmaxOf,
  nameOf,
  loweringOf,
  windowOf,
  type Acting,
  type LoweredOp,
  type LoweringContext,
  type OpLowering,
  type Precision,
  type RandomInput,
} from './ops/index.js';
export {
  centredCodes,
  centredTensor,
  channelScales,
  optionalParam,
  paramOf,
  paramsToTensors,
  realParam,
  realTensor,
  realValues,
  tensorsToParams,
} from './params.js';
export { countProblems } from './rounded-counts.js';
export { type RewriteRule, Rewriter, rewrite } from './rewrite.js';
export { networkOfText, parseNetwork } from './text/parse.js';
export { planesFor, unaryTrains } from './spike-form.js';
export { printNetwork, printType } from './text/print.js';
export {
  type AttrValue,
  type Attrs,
  type Code,
  type Coding,
  type Network,
  type Op,
  type Param,
  type Time,
  type UncheckedOp,
  type ValueType,
  checkedOp,
} from './types.js';
export { type Problem, verifyNetwork, verifyValues } from './verify.js';
export { type InputPart, inputParts } from './input-parts.js';
export { decodeWeights, encodeWeights, weightsPieces } from './weights-file.js';
export { derivedLevels } from './verify-levels.js';
export { firstOversized } from './sizes.js';
