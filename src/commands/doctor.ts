import { basename, dirname, join } from 'node:path';
import { type Diagnostic, DiagnosticError, type Outcome, hasErrors } from '../base/diagnostics/index.js';
import { costOf } from '../cost/index.js';
import { type Config, checkModel } from '../model/index.js';
import type { Network } from '../network/index.js';
import { activationSites, configure, passes, runPipeline } from '../passes/index.js';
import { chooseConfig } from '../workspace/choose-config.js';
import { conversionPlan, convertNetwork } from '../workspace/conversion.js';
import { diskLoader, libraryNeurons } from '../workspace/files.js';
import { Findings } from '../workspace/findings.js';
import { importFile } from '../workspace/target.js';
import { type ConversionCoding, conversionCodings } from './choices.js';
import { modelText } from './convert.js';

/** What keeps a network from converting: alike diagnostics together. */
export interface Blocker {
  readonly code: string;
  /** Of the first. */
  readonly message: string;
  readonly count: number;
  /** Nodes or layers, the first few. */
  readonly places: readonly string[];
  /** How to get past it. */
  readonly remedy?: string;
}

export interface CodingExamined {
  readonly coding: ConversionCoding;
  /** `calibrate`: with `--calibrate DATA` it does. */
  readonly converts: 'yes' | 'calibrate' | 'no';
  readonly blockers: readonly Blocker[];
  /** What one would have to do, in a line. */
  readonly remedy?: string;
}

/** The keys are those of `doctor --json`. */
export interface DoctorResult {
  readonly file: string;
  /** Missing where the file isn't understood: `blockers` says why. */
  readonly network?: {
    readonly name: string;
    readonly layers: number;
    readonly parameters: number;
    readonly quantisers: number;
    /** Activations whose range no quantiser says. */
    readonly unquantised: number;
  };
  /** Of the file itself: nothing converts before these are gone. */
  readonly blockers: readonly Blocker[];
  readonly codings: readonly CodingExamined[];
}

/** How many places a group names. */
const mostPlaces = 5;

/** What converts of an ONNX file under which coding, what blocks, and how to get past it. Nothing is run or written. */
export function examineOnnx(file: string): Outcome<DoctorResult> {
  let network: Network;
  const findings = new Findings();
  try {
    ({ network } = importFile(file, findings).imported);
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    const unread = error.diagnostics.filter(({ code }) => !code.startsWith('onnx/'));
    if (hasErrors(unread)) throw error;
    return { value: { file, blockers: grouped(error.diagnostics), codings: [] }, diagnostics: [] };
  }
  const sites = rangeless(network);
  const described = {
    name: network.name,
    layers: network.ops.length,
    parameters: costOf(network).total.params,
    quantisers: network.ops.filter(({ kind }) => kind === 'quantize').length,
    unquantised: sites.length,
  };
  const codings = conversionCodings.map((coding) => examined(file, network, coding, sites));
  return { value: { file, network: described, blockers: [], codings }, diagnostics: findings.all };
}

/** Activations whose range isn't known: what `--calibrate` measures. */
function rangeless(network: Network): readonly string[] {
  const front = passes.filter(({ name }) => ['canonicalise', 'fold-batchnorm', 'quantiser-regions'].includes(name));
  const result = runPipeline(network, configure(front, {}), { neurons: libraryNeurons() });
  if (result.network === undefined) return [];
  return activationSites(result.network)
    .filter(({ known }) => !known)
    .map(({ op }) => op.id);
}

function examined(file: string, network: Network, coding: ConversionCoding, sites: readonly string[]): CodingExamined {
  const bare = problemsOf(file, network, coding, []);
  if (bare.length === 0) return { coding, converts: 'yes', blockers: [] };
  if (coding !== 'sws' && sites.length > 0) {
    const problems = problemsOf(file, network, coding, sites);
    const remedy = `--calibrate DATA measures the range of ${sites.length} activation${sites.length === 1 ? '' : 's'}`;
    if (problems.length === 0) return { coding, converts: 'calibrate', blockers: [], remedy };
    return { coding, converts: 'no', blockers: grouped(problems) };
  }
  return { coding, converts: 'no', blockers: grouped(bare) };
}

/** Converts with ranges of 1 for the activations that have none: whether it works doesn't depend on them. */
function problemsOf(
  file: string,
  network: Network,
  coding: ConversionCoding,
  sites: readonly string[],
): readonly Diagnostic[] {
  const findings = new Findings();
  const path = join(dirname(file), 'doctor.spike');
  const ranges = new Map(sites.map((id) => [id, 1] as const));
  try {
    const text = modelText(basename(file), { coding, outDir: '' }, { ranges });
    const model = findings.take(checkModel({ name: path, text }, diskLoader(path, false)));
    const config: Config = chooseConfig(model, { path });
    convertNetwork(network, conversionPlan(config, findings), findings);
    return [];
  } catch (error) {
    if (!(error instanceof DiagnosticError)) throw error;
    return error.diagnostics.filter(({ severity }) => severity === 'error');
  }
}

/** Diagnostics alike but for the names in them, by how many there are. */
function grouped(diagnostics: readonly Diagnostic[]): readonly Blocker[] {
  const groups = new Map<string, Diagnostic[]>();
  for (const one of diagnostics.filter(({ severity }) => severity === 'error')) {
    const key = `${one.code} ${one.message.replace(/%[\w./:-]+|"[^"]*"|\d+/g, '…')} ${one.help ?? ''}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [...groups.values()]
    .sort((a, b) => b.length - a.length)
    .map((alike) => {
      const [first] = alike as [Diagnostic, ...Diagnostic[]];
      const names = alike.flatMap(({ place, message }) => {
        const name =
          (place !== undefined && 'detail' in place ? place.detail : undefined) ?? /%[\w./:-]+/.exec(message)?.[0];
        return name === undefined ? [] : [name];
      });
      return {
        code: first.code,
        message: first.message,
        count: alike.length,
        places: [...new Set(names)].slice(0, mostPlaces),
        ...(first.help === undefined ? {} : { remedy: first.help }),
      };
    });
}
