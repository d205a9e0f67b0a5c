import type { Outcome } from '../base/diagnostics/index.js';
import type { AllocateOptions, AllocateResult } from '../allocate/types.js';
import type { DiffDocument } from '../diff/index.js';
import type { OptionInfo } from '../passes/index.js';
import type { EvalResult } from '../run/types.js';
import type { EvaluateOptions } from './eval.js';
import type { CommonOptions, Target } from '../workspace/types.js';
import type { AllocateCodingOptions, AllocateCodingResult } from './allocate-coding.js';
import type { CheckResult } from './check.js';
import type { CompareCodingsOptions, CompareCodingsResult } from './compare-codings.js';
import type { CompileOptions } from './compile.js';
import type { ConvertOptions, ConvertResult } from './convert.js';
import type { CostOptions, CostResult } from './cost.js';
import type { DataOptions, DataResult } from './data.js';
import type { DiffMatrix, DiffOptions, DiffResult } from './diff.js';
import type { DoctorOptions, DoctorResult } from './doctor.js';
import type { FormatResult } from './fmt.js';
import type { CopiedExample } from './examples.js';
import type { StarterModel } from './init.js';
import type { OptOptions, OptResult } from './opt.js';
import type { PictureOptions, PictureResult } from './picture.js';
import type { ReportOptions, ReportResult } from './report.js';
import type { CompileResult } from './summary.js';
import type { TrainOptions, TrainResult } from './train.js';

export interface PassInfo {
  readonly name: string;
  readonly doc: string;
  readonly options: readonly OptionInfo[];
}

/** What may be there at once, or be loaded first. */
type Awaitable<T> = T | Promise<T>;

/** Everything that commands ask of the compiler. */
export interface Driver {
  checkFile(target: Target, options: CommonOptions): Awaitable<Outcome<CheckResult>>;
  /** The formatted text of a model file. */
  formatFile(path: string): Awaitable<Outcome<FormatResult>>;
  compileTarget(target: Target, options: CompileOptions): Promise<Outcome<CompileResult>>;
  convertOnnx(file: string, options: ConvertOptions): Promise<Outcome<ConvertResult>>;
  /** What of an ONNX file converts, and what blocks. */
  examineOnnx(file: string, options?: DoctorOptions): Promise<Outcome<DoctorResult>>;
  /** A network in several codings on the same data. */
  compareCodings(file: string, options: CompareCodingsOptions): Promise<Outcome<CompareCodingsResult>>;
  evaluateTarget(target: Target, options: EvaluateOptions): Promise<Outcome<EvalResult>>;
  trainTarget(target: Target, options: TrainOptions): Promise<Outcome<TrainResult>>;
  /** Chooses a coding and its parameters for bounds on latency, operations and accuracy. */
  allocateCoding(file: string, options: AllocateCodingOptions): Promise<Outcome<AllocateCodingResult>>;
  allocateTarget(target: Target, options: AllocateOptions): Promise<Outcome<AllocateResult>>;
  costOf(target: Target, options: CostOptions): Promise<Outcome<CostResult>>;
  describeData(options: DataOptions): Promise<Outcome<DataResult>>;
  drawPicture(target: Target, options: PictureOptions): Promise<Outcome<PictureResult>>;
  reportTargets(targets: readonly Target[], options: ReportOptions): Promise<Outcome<ReportResult>>;
  diffTargets(from: Target, to: Target, options: DiffOptions): Promise<Outcome<DiffResult>>;
  /** Every configuration of the file against the target's, or the first. */
  diffConfigs(base: Target, options: DiffOptions): Promise<Outcome<DiffMatrix>>;
  /** Diffs as one HTML page that needs nothing else. */
  diffPage(documents: readonly DiffDocument[], options: { readonly snippet: boolean }): Promise<string>;
  listPasses(): Awaitable<readonly PassInfo[]>;
  /** Passes with options, as text, on a network in text form. */
  runPasses(path: string, options: OptOptions): Promise<Outcome<OptResult>>;
  /** What `init` writes. */
  starterModel(): Awaitable<Outcome<StarterModel>>;
  /** The run folder that a training of a config takes, as things are now. */
  nextRun(path: string, config: string): Awaitable<string>;
  /** Copies an example of the package into a folder. */
  copyExample(name: string, folder: string): Awaitable<Outcome<CopiedExample>>;
  exampleNames(): Awaitable<readonly string[]>;
}
