import { packageVersion } from '../workspace/version.js';
import type { Driver } from './driver.js';
import { reported } from './reporting.js';

export type { Diagnostic, Outcome } from '../base/diagnostics/index.js';
export type { EpochRecord } from '../train/index.js';
export type * from '../allocate/types.js';
export type * from '../run/types.js';
export type * from '../workspace/types.js';
export type { AllocateCodingOptions, AllocateCodingResult, CodingGoal } from './allocate-coding.js';
export type { CheckResult } from './check.js';
export type { FormatResult } from './fmt.js';
export type * from './choices.js';
export type { CompareCodingsOptions, CompareCodingsResult } from './compare-codings.js';
export type { CompileOptions } from './compile.js';
export type { CompileResult } from './summary.js';
export type { ConvertOptions, ConvertResult } from './convert.js';
export type { CostData, CostOptions, CostResult, CostRow } from './cost.js';
export type { Blocker } from '../convert/blockers.js';
export type { CodingExamined } from '../convert/examine.js';
export type { DoctorResult } from './doctor.js';
export type { DataOptions, DataResult } from './data.js';
export type { DiffMatrix, DiffOptions, DiffResult } from './diff.js';
export type { CopiedExample } from './examples.js';
export type { StarterModel } from './init.js';
export type { OptOptions, OptResult } from './opt.js';
export type { PictureOptions, PictureResult } from './picture.js';
export type { ReportOptions, ReportResult } from './report.js';
export type { TrainOptions, TrainResult } from './train.js';
export type { Driver, PassInfo } from './driver.js';

/** Everything commands ask of the compiler. Each brings only what it needs, when it is first asked for. */
export const driver: Driver = {
  checkFile: async (target, options) => (await import('./check.js')).checkFile(target, options),
  formatFile: async (path) => (await import('./fmt.js')).formatFile(path),
  examineOnnx: (file, options) => reported(async () => (await import('./doctor.js')).examineOnnx(file, options)),
  compareCodings: (file, options) =>
    reported(async () => (await import('./compare-codings.js')).compareCodingsOf(file, options)),
  compileTarget: (target, options) =>
    reported(async () => (await import('./compile.js')).compileTarget(target, options)),
  convertOnnx: (file, options) => reported(async () => (await import('./convert.js')).convertOnnx(file, options)),
  evaluateTarget: (target, options) =>
    reported(async () => (await import('./eval.js')).evaluateTarget(target, options)),
  trainTarget: (target, options) => reported(async () => (await import('./train.js')).trainTarget(target, options)),
  allocateCoding: (file, options) =>
    reported(async () => (await import('./allocate-coding.js')).allocateCoding(file, options)),
  allocateTarget: (target, options) =>
    reported(async () => (await import('./allocate.js')).allocateTarget(target, options)),
  costOf: (target, options) => reported(async () => (await import('./cost.js')).costOf(target, options)),
  describeData: (options) => reported(async () => (await import('./data.js')).describeData(options)),
  drawPicture: (target, options) => reported(async () => (await import('./picture.js')).drawPicture(target, options)),
  reportTargets: (targets, options) =>
    reported(async () => (await import('./report.js')).reportTargets(targets, options)),
  diffTargets: (from, to, options) => reported(async () => (await import('./diff.js')).diffTargets(from, to, options)),
  diffConfigs: (base, options) => reported(async () => (await import('./diff.js')).diffConfigs(base, options)),
  diffPage: async (documents, { snippet }) => {
    const page = (await import('../report/diff/page.js')).diffPage(documents, packageVersion());
    return snippet ? (await import('../report/page/snippet.js')).snippetOf(page, 'Differences') : page;
  },
  listPasses: async () => {
    const { optionsOf, passes } = await import('../passes/index.js');
    return passes.map((pass) => ({ name: pass.name, doc: pass.doc, options: optionsOf(pass) }));
  },
  runPasses: (path, options) => reported(async () => (await import('./opt.js')).runPasses(path, options)),
  starterModel: async () => (await import('./init.js')).starterModel(),
  nextRun: async (path, config) => (await import('./init.js')).nextRun(path, config),
  copyExample: async (name, folder) => (await import('./examples.js')).copyExample(name, folder),
  exampleNames: async () => (await import('./examples.js')).exampleNames(),
};
