import type { Diagnostic, Outcome } from '../base/diagnostics/index.js';
import type { AnnCost, Hardware, LayerCost, MeasuredLayer, MeasuredTotal, TotalCost } from '../cost/index.js';
import type { Dataset, Normalisation } from '../data/index.js';
import type { LayerActivity, LayerDifference } from '../evaluate/index.js';
import type { DiffDocument, DiffView, ProgramHunk } from '../diff/index.js';
import type { EpochRecord } from '../train/index.js';

/** What a command works on: `FILE` or `FILE#CONFIG`. */
export interface Target {
  readonly path: string;
  readonly config?: string;
}

/** How far a long piece of work has come. */
export interface Progress {
  /** `evaluating` */
  readonly phase: string;
  readonly done: number;
  readonly total?: number;
  /** What is counted: `images`. */
  readonly unit?: string;
  /** Figures to show beside: `loss 0.31  accuracy 91.20 %`. */
  readonly detail?: string;
}
export type OnProgress = (progress: Progress) => void;

/** A model file to start from. */
export interface StarterModel {
  readonly text: string;
  readonly configs: readonly string[];
}

export interface CommonOptions {
  readonly onProgress?: OnProgress;
  /** Let `use` and `onnx(...)` leave the model file's folder. */
  readonly allowOutside?: boolean;
  /** Compare an import with its file in onnxruntime, layer by layer; where missing, files up to 32 MB. */
  readonly verify?: boolean;
}

export const artifacts = ['ir', 'json', 'tensor', 'tfjs', 'onnx'] as const;
export type Artifact = (typeof artifacts)[number];

export interface CompileOptions extends CommonOptions {
  readonly emit: readonly Artifact[];
  /** Where the compiled folder goes; nothing is written without it. */
  readonly outDir?: string;
  /** Name of a pass, or `all`: its result is given to `onPrint` in text form. */
  readonly printAfter?: string;
  readonly stopAfter?: string;
  /** Multi-bit spikes as binary planes in virtual time steps. */
  readonly planes?: boolean;
  /** Receives IR that the options ask to print. `title` names the pass. */
  readonly onPrint?: (title: string, text: string) => void;
}

export interface CompileResult {
  readonly name: string;
  /** Files written, relative to `outDir`. */
  readonly files: readonly string[];
  readonly outDir?: string;
  readonly ops: number;
  readonly parameters: number;
  readonly latency_steps?: number;
  readonly notes: readonly string[];
  readonly passes: readonly { readonly pass: string; readonly milliseconds: number }[];
}

export const codings = ['sws', 'rate', 'mbif', 'ibra'] as const;
export type CodingName = (typeof codings)[number];

export interface ConvertOptions extends CommonOptions {
  readonly coding: CodingName;
  readonly steps?: number;
  readonly silent?: number;
  readonly beta?: number;
  readonly encoder?: 'exact' | 'drive';
  /** Data on which activation ranges are measured, for networks without quantisers. */
  readonly calibrate?: Dataset;
  /** Of the positive activations, in (0, 100]; the default takes 99.9. */
  readonly percentile?: number;
  /** How many calibration images, from the first; 1000 where missing. */
  readonly calibrationLimit?: number;
  /** Bits of MBIF, or D and N of IBRALIF. */
  readonly integer?: number;
  readonly fraction?: number;
  readonly largest?: number;
  readonly perUnit?: number;
  readonly normalisation?: Normalisation;
  readonly outDir: string;
}

export interface ConvertResult extends CompileResult {
  /** The model file that was written. */
  readonly model: string;
}

export interface EvalOptions extends CommonOptions {
  readonly dataset: Dataset;
  readonly normalisation: Normalisation;
  readonly limit?: number;
  readonly batch?: number;
  readonly engine?: string;
  readonly threads?: number;
  /** Also: accuracy at each stage of a conversion, and differences per layer. */
  readonly stages?: boolean;
  /** Also: entropy, firing rate and level histogram of each layer of neurons. */
  readonly activity?: boolean;
}

/** Fractions are 0…1; the keys are those of `eval --json`. */
export interface EvalResult {
  readonly samples: number;
  readonly accuracy: number;
  /** For conversions: the source ANN's accuracy, and how often both predict the same. */
  readonly source?: { readonly accuracy: number; readonly agreement: number };
  readonly spikes_per_neuron: number;
  /** Operations per frame (SWS eq. 10), mean over the samples. */
  readonly opf: number;
  readonly latency_steps: number;
  readonly seconds: number;
  readonly engine: string;
  /** Of codings whose trains carry means: accuracy of what is known after so many steps. */
  readonly by_steps?: readonly { readonly steps: number; readonly accuracy: number }[];
  /** Measured on the data, layer by layer. */
  readonly activity?: readonly LayerActivity[];
  readonly stages?: readonly { readonly stage: string; readonly accuracy: number; readonly agreement: number }[];
  readonly layers?: readonly LayerDifference[];
}

export interface TrainOptions extends CommonOptions {
  /** Data set by name, in place of the config's. */
  readonly data?: string;
  readonly dataDir?: string;
  readonly epochs?: number;
  readonly limit?: number;
  readonly seed?: number;
  readonly engine?: string;
  readonly threads?: number;
  readonly resume?: boolean;
  /** The run folder; by default one below `runs`. */
  readonly run?: string;
  readonly onEpoch?: (record: EpochRecord) => void;
  readonly onEngine?: (name: string) => void;
}

export interface TrainResult {
  /** Epochs that are done, earlier ones included. */
  readonly done: number;
  /** Accuracy on the images held back where there are any, else on the training images. */
  readonly best: { readonly epoch: number; readonly accuracy: number };
  readonly run: string;
  /** Why it ended. */
  readonly stopped: 'epochs' | 'patience';
  readonly engine: string;
}

/** Data on which the spikes of a network are counted. */
export type CostData = Pick<EvalOptions, 'dataset' | 'normalisation' | 'limit' | 'batch' | 'engine' | 'threads'>;

export interface CostOptions extends CommonOptions {
  /** Count multi-bit spikes as binary planes in virtual time steps. */
  readonly planes?: boolean;
  /** Count layers with a constant real input at every step, not once. */
  readonly everyStep?: boolean;
  /** Energies in place of the config's. */
  readonly hardware?: Partial<Hardware>;
  /** Also run the network, for what its spikes cost. */
  readonly data?: CostData;
}

export const pictureKinds = ['levels', 'spikes', 'raster', 'membranes', 'bits'] as const;
export type PictureKind = (typeof pictureKinds)[number];

export interface PictureOptions extends CommonOptions {
  readonly kind: PictureKind;
  /** All kinds but `bits` need images. */
  readonly dataset?: Dataset | undefined;
  readonly normalisation: Normalisation;
  /** Which image, from 0. */
  readonly sample?: number;
  /** Images that levels are counted over; 100 where missing. */
  readonly limit?: number;
  /** Id of a layer of neurons. */
  readonly layer?: string;
  /** Neurons of a layer, row-major from 0. */
  readonly neurons?: readonly number[];
  readonly engine?: string;
  readonly outFile: string;
}

export interface PictureResult {
  readonly kind: PictureKind;
  readonly file: string;
  /** Layers in the picture. */
  readonly layers: readonly string[];
}

export interface ReportOptions extends CommonOptions {
  readonly dataset?: Dataset | undefined;
  readonly normalisation: Normalisation;
  /** Images that accuracy and levels are measured on; all where missing. */
  readonly limit?: number;
  readonly batch?: number;
  /** The image whose spikes and membranes are shown, from 0. */
  readonly sample?: number;
  readonly engine?: string;
  readonly threads?: number;
  readonly outFile: string;
}

export interface ReportResult {
  readonly file: string;
  readonly bytes: number;
  readonly targets: readonly { readonly name: string; readonly accuracy?: number }[];
}

export type CostRow = LayerCost & Partial<MeasuredLayer>;

/** The keys are those of `cost --json`. */
export interface CostResult {
  readonly layers: readonly CostRow[];
  readonly total: TotalCost & Partial<MeasuredTotal>;
  readonly hardware: Hardware;
  readonly ann: AnnCost;
  /** What the figures from spikes were measured on. */
  readonly measured?: Pick<EvalResult, 'samples' | 'accuracy' | 'source' | 'seconds' | 'engine'>;
}

export const irs = ['network', 'tensor'] as const;

export interface DiffOptions extends CommonOptions {
  /** Compare the networks after this pass, or `source`: before all passes. Without it: as they are compiled. */
  readonly at?: string;
  readonly ir?: (typeof irs)[number];
}

export interface DiffResult {
  readonly view: DiffView;
  readonly identical: boolean;
  /** With `ir: 'tensor'`: what differs between the programs. */
  readonly program?: readonly ProgramHunk[];
}

/** Every configuration of a file beside one of them. */
export interface DiffMatrix {
  readonly base: string;
  readonly configs: readonly (
    { readonly config: string; readonly result: DiffResult } | { readonly config: string; readonly error: string }
  )[];
}

/** What bits of weights are chosen for: a size in bytes, the size of so many bits everywhere, or an S-ACE. */
export interface BitBudget {
  readonly unit: 'bytes' | 'weight_bits' | 's_ace';
  readonly value: number;
}

/** What silent periods are chosen for: a latency in steps, or a bound on what is lost on the calibration images. */
export interface SilentGoal {
  readonly unit: 'latency' | 'agreement' | 'loss';
  /** Steps; or a fraction: of equal predictions at least, or of accuracy lost at most. */
  readonly value: number;
}

export interface AllocateOptions extends CommonOptions {
  readonly dataset: Dataset;
  readonly normalisation: Normalisation;
  /** How many calibration images, from the first. */
  readonly limit?: number;
  readonly batch?: number;
  readonly engine?: string;
  readonly threads?: number;
  readonly goal: BitBudget | SilentGoal;
  /** The fewest and the most bits, or silent steps, of a layer. */
  readonly least?: number;
  readonly most?: number;
  readonly outDir?: string;
}

/** The keys are those of `allocate --json`. */
export interface AllocateResult {
  readonly goal: BitBudget | SilentGoal;
  readonly layers: readonly AllocatedLayer[];
  readonly total: {
    /** Weights and biases of the layers, their mean bits, and what `cost` counts. */
    readonly params?: number;
    readonly weight_bits?: number;
    readonly size_bytes?: number;
    readonly s_ace?: number;
    readonly latency_steps?: number;
    /** The sum of the layers' errors: what was made least. */
    readonly error: number;
  };
  /** Whether the sum of errors is proven to be the least. */
  readonly exact: boolean;
  /** The whole allocation measured on the calibration images, beside the network as it was. */
  readonly calibration: {
    readonly samples: number;
    readonly accuracy: number;
    readonly error: number;
    readonly source: { readonly accuracy: number; readonly agreement: number };
  };
  readonly outDir?: string;
  readonly files: readonly string[];
  /** What `eval` and `compile` take to get the result. */
  readonly target?: string;
  readonly seconds: number;
  readonly engine: string;
}

export interface AllocatedLayer {
  readonly id: string;
  readonly params?: number;
  readonly weight_bits?: number;
  readonly silent?: number;
  /** Error of the network's output when this layer alone has these bits or this period. */
  readonly error: number;
  /** Errors of all that was tried. */
  readonly tried: readonly { readonly value: number; readonly error: number }[];
}

/** What a checked file declares. */
export interface CheckResult {
  readonly configs: readonly string[];
  readonly networks: readonly string[];
  readonly neurons: readonly string[];
}

export interface FormatResult {
  readonly text: string;
  /** The file isn't formatted yet. */
  readonly changed: boolean;
}

export interface PassInfo {
  readonly name: string;
  readonly doc: string;
}

/** Everything that commands ask of the compiler. */
export interface Driver {
  checkFile(path: string, options: CommonOptions): Outcome<CheckResult>;
  /** The formatted text of a model file. */
  formatFile(path: string): Outcome<FormatResult>;
  compileTarget(target: Target, options: CompileOptions): Promise<Outcome<CompileResult>>;
  convertOnnx(file: string, options: ConvertOptions): Promise<Outcome<ConvertResult>>;
  evaluateTarget(target: Target, options: EvalOptions): Promise<Outcome<EvalResult>>;
  trainTarget(target: Target, options: TrainOptions): Promise<Outcome<TrainResult>>;
  allocateTarget(target: Target, options: AllocateOptions): Promise<Outcome<AllocateResult>>;
  costOf(target: Target, options: CostOptions): Promise<Outcome<CostResult>>;
  drawPicture(target: Target, options: PictureOptions): Promise<Outcome<PictureResult>>;
  reportTargets(targets: readonly Target[], options: ReportOptions): Promise<Outcome<ReportResult>>;
  diffTargets(from: Target, to: Target, options: DiffOptions): Promise<Outcome<DiffResult>>;
  /** Every configuration of the file against the target's, or the first. */
  diffConfigs(base: Target, options: DiffOptions): Promise<Outcome<DiffMatrix>>;
  /** Diffs as one HTML page that needs nothing else. */
  diffPage(documents: readonly DiffDocument[]): Promise<string>;
  listPasses(): readonly PassInfo[];
  /** What `init` writes. */
  starterModel(): Outcome<StarterModel>;
}

export type { Diagnostic, EpochRecord, LayerActivity, LayerCost, LayerDifference, Outcome };
