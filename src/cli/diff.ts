import { type Command, InvalidArgumentError } from 'commander';
import { type DiffDocument, diffJson, presentDiff, presentPrograms } from '../diff/index.js';
import { diffMarkdown, markdownTable } from './diff-markdown.js';
import { matrixJson, matrixTable, matrixText } from './diff-matrix.js';
import { diffText } from './diff-text.js';
import { exitCode } from './exit.js';
import {
  type ShapeFlags,
  choice,
  defined,
  inputShapeOption,
  parseTarget,
  shapesFor,
  withCommonFlags,
  withOutsideFlag,
} from './options.js';
import { type CommonFlags, type Host, type Report, runCommand } from './session.js';
import type { DiffMatrix, DiffOptions, DiffResult } from '../commands/diff.js';
import type { Driver } from '../commands/index.js';
import { refuseOutput, writeOutput } from '../workspace/output.js';
import type { Target } from '../workspace/types.js';
import { irs } from '../commands/choices.js';

interface DiffFlags extends CommonFlags, ShapeFlags {
  readonly all?: boolean;
  readonly at?: string;
  readonly ir?: (typeof irs)[number];
  readonly full?: boolean;
  readonly markdown?: boolean;
  readonly html?: boolean;
  readonly snippet?: boolean;
  readonly out?: string;
  readonly allowOutside?: boolean;
}

/** `spikec diff A B` */
export function addDiff(program: Command, host: Host): void {
  const command = program
    .command('diff')
    .summary('compare two networks')
    .description(
      'Compare two networks: layers, types, neurons, weights, costs. Exits with 0 where they are the same, 1 where they differ, 2 on errors.',
    )
    .argument('<targets...>', 'A B: FILE#CONFIG, an ONNX file, a folder or a .ir file; or FILE CONFIG CONFIG')
    .option('--all', 'every configuration of the file against the one named, or the first')
    .option('--at <pass>', 'the networks after this pass; source: before all passes')
    .addOption(choice('--ir <ir>', 'which form to compare (default: network)', irs))
    .option('--full', 'everything that differs, however long')
    .option('--markdown', 'as Markdown')
    .option('--html', 'as one HTML page')
    .option('--snippet', 'as a piece of HTML that a notebook displays')
    .option('-o, --out <file>', 'write to a file instead of stdout')
    .option(...inputShapeOption)
    .action((targets: readonly string[], flags: DiffFlags) => {
      const problem = flagsProblem(flags);
      if (problem !== undefined) return command.error(`error: ${problem}`);
      const parsed = targetsOf(targets, flags.all === true);
      return typeof parsed === 'string'
        ? command.error(`error: ${parsed}`)
        : diff(host, parsed, flags, shapesFor(command, flags, parsed));
    });
  withCommonFlags(withOutsideFlag(command), [
    'spikec diff resnet20.spike#base resnet20.spike#mb21',
    'spikec diff resnet20.spike base mb21 --html -o diff.html',
    'spikec diff resnet20.spike#base --all',
  ]);
}

/** As a page or a piece of one. */
function asHtml({ html, snippet }: DiffFlags): boolean {
  return html === true || snippet === true;
}

function flagsProblem({ json, markdown, html, snippet, all, ir }: DiffFlags): string | undefined {
  if ([json, markdown, html, snippet].filter(Boolean).length > 1)
    return 'choose one of --json, --markdown, --html and --snippet.';
  return all === true && ir === 'tensor' ? '--all compares networks, not tensor programs.' : undefined;
}

/** One target with `--all`, else two; or what is wrong with the command line. */
function targetsOf(texts: readonly string[], all: boolean): readonly Target[] | string {
  try {
    if (all) return texts.length === 1 ? texts.map(parseTarget) : '--all takes one FILE or FILE#CONFIG.';
    const [first = '', ...configs] = texts;
    if (texts.length === 3) return configs.map((config) => parseTarget(`${parseTarget(first).path}#${config}`));
    return texts.length === 2 ? texts.map(parseTarget) : 'two networks are expected: A B, or FILE CONFIG CONFIG.';
  } catch (error) {
    if (error instanceof InvalidArgumentError) return error.message;
    throw error;
  }
}

function diff(
  host: Host,
  [from, to]: readonly Target[],
  flags: DiffFlags,
  shapes: Pick<DiffOptions, 'inputShapes'>,
): Promise<void> {
  const options: DiffOptions = {
    allowOutside: flags.allowOutside === true,
    ...defined({ at: flags.at, ir: flags.ir }),
    ...shapes,
  };
  const show = { colour: host.terminal.colour.out && flags.out === undefined };
  return runCommand(
    host,
    flags,
    async ({ driver, take }) => {
      if (flags.out !== undefined) refuseOutput(flags.out, 'diff');
      const report =
        to === undefined
          ? await matrixReport(take(await driver.diffConfigs(from!, options)), flags, driver, show)
          : await diffReport(take(await driver.diffTargets(from!, to, options)), flags, driver, show);
      if (flags.out === undefined) return report;
      const text = flags.json === true ? `${JSON.stringify(report.json, undefined, 2)}\n` : report.text;
      writeOutput(flags.out, text, 'diff');
      return { ...report, text: flags.quiet === true ? '' : `${flags.out}\n` };
    },
    { errorCode: exitCode.usage },
  );
}

interface Show {
  readonly colour: boolean;
}

async function diffReport(result: DiffResult, flags: DiffFlags, driver: Driver, { colour }: Show): Promise<Report> {
  const document = documentOf(result, flags);
  const text = asHtml(flags)
    ? await driver.diffPage([document], { snippet: flags.snippet === true })
    : flags.markdown === true
      ? diffMarkdown(document)
      : diffText(document, colour);
  const program = result.program === undefined ? {} : { program: result.program };
  return {
    text,
    json: { ...diffJson(result.view), ...program, identical: result.identical },
    code: result.identical ? exitCode.ok : exitCode.wrongInput,
  };
}

function documentOf({ view, program }: DiffResult, flags: DiffFlags): DiffDocument {
  const options = { full: flags.full === true };
  return program === undefined ? presentDiff(view, options) : presentPrograms(view, program, options);
}

async function matrixReport(matrix: DiffMatrix, flags: DiffFlags, driver: Driver, { colour }: Show): Promise<Report> {
  const results = matrix.configs.flatMap((row) => ('result' in row ? [row.result] : []));
  const documents = flags.full === true || asHtml(flags) ? results.map((r) => documentOf(r, flags)) : [];
  const failed = results.length < matrix.configs.length;
  const identical = results.every((result) => result.identical);
  return {
    text: await matrixPage(matrix, documents, flags, driver, colour),
    json: matrixJson(matrix),
    code: failed ? exitCode.usage : identical ? exitCode.ok : exitCode.wrongInput,
  };
}

async function matrixPage(
  matrix: DiffMatrix,
  documents: readonly DiffDocument[],
  flags: DiffFlags,
  driver: Driver,
  colour: boolean,
): Promise<string> {
  if (asHtml(flags)) {
    const overview: DiffDocument = {
      from: matrix.base,
      to: 'all',
      identical: false,
      summary: 'every configuration against it',
      sections: [{ title: 'overview', items: [], table: matrixTable(matrix), left: 0 }],
    };
    return driver.diffPage([overview, ...documents], { snippet: flags.snippet === true });
  }
  if (flags.markdown === true) return [markdownTable(matrixTable(matrix)), ...documents.map(diffMarkdown)].join('\n');
  return [matrixText(matrix, colour), ...documents.map((document) => diffText(document, colour))].join('\n');
}
