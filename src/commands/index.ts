import type { Outcome } from '../base/diagnostics/index.js';
import { type OptionInfo, optionsOf, passes } from '../passes/index.js';
import { type CheckResult, checkFile } from './check.js';
import { type FormatResult, formatFile } from './fmt.js';
import { reported } from './reporting.js';
import { starterModel, type StarterModel } from './init.js';
import { packageVersion } from '../workspace/version.js';
import type { AllocateOptions, AllocateResult } from '../allocate/types.js';
import type { CommonOptions, Target } from '../workspace/types.js';
import type { CompileOptions } from './compile.js';
import type { CompileResult } from './summary.js';
import type { ConvertOptions, ConvertResult } from './convert.js';
import type { CostOptions, CostResult } from './cost.js';
import type { DataOptions, DataResult } from './data.js';
import type { DiffDocument } from '../diff/index.js';
import type { DiffMatrix, DiffOptions, DiffResult } from './diff.js';
import type { EvalOptions, EvalResult } from '../run/types.js';
import type { DoctorResult } from './doctor.js';
import type { OptOptions, OptResult } from './opt.js';
import type { PictureOptions, PictureResult } from './picture.js';
import type { ReportOptions, ReportResult } from './report.js';
import type { TrainOptions, TrainResult } from './train.js';

export type { Diagnostic, Outcome } from '../base/diagnostics/index.js';
export type { EpochRecord } from '../train/index.js';
export type * from '../allocate/types.js';
export type * from '../run/types.js';
export type * from '../workspace/types.js';
export type { CheckResult } from './check.js';
export type { FormatResult } from './fmt.js';
export type * from './choices.js';
export type { CompileOptions } from './compile.js';
export type { CompileResult } from './summary.js';
export type { ConvertOptions, ConvertResult } from './convert.js';
export type { CostData, CostOptions, CostResult, CostRow } from './cost.js';
export type { Blocker, CodingExamined, DoctorResult } from './doctor.js';
export type { DataOptions, DataResult } from './data.js';
export type { DiffMatrix, DiffOptions, DiffResult } from './diff.js';
export type { StarterModel } from './init.js';
export type { OptOptions, OptResult } from './opt.js';
export type { PictureOptions, PictureResult } from './picture.js';
export type { ReportOptions, ReportResult } from './report.js';
export type { TrainOptions, TrainResult } from './train.js';

export interface PassInfo {
  readonly name: string;
  readonly doc: string;
  readonly options: readonly OptionInfo[];
}

/** Everything that commands ask of the compiler. */
export interface Driver {
  checkFile(target: Target, options: CommonOptions): Outcome<CheckResult>;
  /** The formatted text of a model file. */
  formatFile(path: string): Outcome<FormatResult>;
  compileTarget(target: Target, options: CompileOptions): Promise<Outcome<CompileResult>>;
  convertOnnx(file: string, options: ConvertOptions): Promise<Outcome<ConvertResult>>;
  /** What of an ONNX file converts, and what blocks. */
  examineOnnx(file: string): Promise<Outcome<DoctorResult>>;
  evaluateTarget(target: Target, options: EvalOptions): Promise<Outcome<EvalResult>>;
  trainTarget(target: Target, options: TrainOptions): Promise<Outcome<TrainResult>>;
  allocateTarget(target: Target, options: AllocateOptions): Promise<Outcome<AllocateResult>>;
  costOf(target: Target, options: CostOptions): Promise<Outcome<CostResult>>;
  describeData(options: DataOptions): Promise<Outcome<DataResult>>;
  drawPicture(target: Target, options: PictureOptions): Promise<Outcome<PictureResult>>;
  reportTargets(targets: readonly Target[], options: ReportOptions): Promise<Outcome<ReportResult>>;
  diffTargets(from: Target, to: Target, options: DiffOptions): Promise<Outcome<DiffResult>>;
  /** Every configuration of the file against the target's, or the first. */
  diffConfigs(base: Target, options: DiffOptions): Promise<Outcome<DiffMatrix>>;
  /** Diffs as one HTML page that needs nothing else. */
  diffPage(documents: readonly DiffDocument[]): Promise<string>;
  listPasses(): readonly PassInfo[];
  /** Passes with options, as text, on a network in text form. */
  runPasses(path: string, options: OptOptions): Promise<Outcome<OptResult>>;
  /** What `init` writes. */
  starterModel(): Outcome<StarterModel>;
}

/** Everything commands ask of the compiler. What brings an engine is loaded when it is first asked for. */
export const driver: Driver = {
  checkFile,
  formatFile,
  examineOnnx: (file) => reported(async () => (await import('./doctor.js')).examineOnnx(file)),
  compileTarget: (target, options) =>
    reported(async () => (await import('./compile.js')).compileTarget(target, options)),
  convertOnnx: (file, options) => reported(async () => (await import('./convert.js')).convertOnnx(file, options)),
  evaluateTarget: (target, options) =>
    reported(async () => (await import('./eval.js')).evaluateTarget(target, options)),
  trainTarget: (target, options) => reported(async () => (await import('./train.js')).trainTarget(target, options)),
  allocateTarget: (target, options) =>
    reported(async () => (await import('./allocate.js')).allocateTarget(target, options)),
  costOf: (target, options) => reported(async () => (await import('./cost.js')).costOf(target, options)),
  describeData: (options) => reported(async () => (await import('./data.js')).describeData(options)),
  drawPicture: (target, options) => reported(async () => (await import('./picture.js')).drawPicture(target, options)),
  reportTargets: (targets, options) =>
    reported(async () => (await import('./report.js')).reportTargets(targets, options)),
  diffTargets: (from, to, options) => reported(async () => (await import('./diff.js')).diffTargets(from, to, options)),
  diffConfigs: (base, options) => reported(async () => (await import('./diff.js')).diffConfigs(base, options)),
  diffPage: async (documents) => (await import('../report/diff/page.js')).diffPage(documents, packageVersion()),
  listPasses: () => passes.map((pass) => ({ name: pass.name, doc: pass.doc, options: optionsOf(pass) })),
  runPasses: (path, options) => reported(async () => (await import('./opt.js')).runPasses(path, options)),
  starterModel,
};
