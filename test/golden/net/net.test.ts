import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTwoFilesPatch } from 'diff';
import { describe, expect, it } from 'vitest';
import { inFolder } from '../../support/in-folder.js';
import { type Case, type CaseTarget, cases } from './cases.js';
import { spikecJson } from './spikec.js';

// UPDATE_GOLDEN=1 records anew; GOLDEN_OUT=DIR also writes every artifact there, to compare two trees' with diff -r.
const update = process.env['UPDATE_GOLDEN'] === '1';
const outputs = process.env['GOLDEN_OUT'];
const recorded = join(import.meta.dirname, 'recorded');

/** One thing that a target compiles to. */
interface Artifact {
  readonly name: string;
  readonly bytes: string | Uint8Array;
  readonly keep: boolean;
}

const longest = 6000;

async function artifactsOf(target: CaseTarget): Promise<readonly Artifact[]> {
  const label = `${target.target}${target.planes === true ? ' --planes' : ''}`;
  const keep = target.text === true;
  const made = (name: string, bytes: string | Uint8Array, kept = keep): Artifact => {
    return { name: `${label}: ${name}`, bytes, keep: kept && typeof bytes === 'string' && bytes.length <= longest };
  };
  rmSync('out', { recursive: true, force: true });
  if (target.command !== undefined) {
    await spikecJson(target.command);
    return filesIn('out', ['weights.safetensors', 'manifest.json', 'quantised.onnx']).map(([name, bytes]) =>
      made(name, bytes),
    );
  }
  const { passes, printed, ...summary } = await spikecJson(compileLine(target));
  const after = (printed as { title: string; text: string }[]).map(({ title, text }, i, all) =>
    made(title, text, keep && text !== all[i - 1]?.text),
  );
  const names = (passes as { pass: string }[]).map(({ pass }) => pass).join('\n');
  const found = [
    made('passes', names),
    ...after,
    ...filesIn('out', ['manifest.json']).map(([name, bytes]) => made(name, bytes, false)),
  ];
  found.push(made('summary', json(summary), false));
  const cost = await spikecJson(['cost', target.target, ...(target.planes === true ? ['--planes'] : [])]);
  found.push(made('cost', json(cost), false));
  if (target.diff !== undefined)
    found.push(made('diff', json(await spikecJson(['diff', target.diff, target.target])), false));
  return found;
}

function compileLine({ target, planes, imported, networksOnly }: CaseTarget): readonly string[] {
  const emit = networksOnly === true ? 'ir,json' : 'ir,json,tensor,onnx';
  const module = imported === true || planes === true || networksOnly === true ? '' : ',tfjs';
  const flags = [...(planes === true ? ['--planes'] : []), ...(imported === true ? ['--no-verify'] : [])];
  return ['compile', target, '--print-after', 'all', '--emit', emit + module, '-o', 'out', ...flags];
}

function filesIn(folder: string, without: readonly string[]): readonly (readonly [string, string | Uint8Array])[] {
  return readdirSync(folder)
    .filter((name) => !without.includes(name))
    .sort()
    .map((name) => {
      const text = /\.(ir|json|tensor|mjs|spike)$/.test(name);
      return [name, text ? readFileSync(join(folder, name), 'utf8') : readFileSync(join(folder, name))] as const;
    });
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 1)}\n`;
}

const heading = '=== ';

/** `=== NAME  sha256 …  BYTES`, and the text where it is kept. */
function record(artifacts: readonly Artifact[]): string {
  return artifacts
    .map(({ name, bytes, keep }) => {
      const hash = createHash('sha256').update(bytes).digest('hex').slice(0, 24);
      const size = Buffer.byteLength(bytes);
      return `${heading}${name}  sha256 ${hash}  ${size}\n${keep ? `${String(bytes).trimEnd()}\n` : ''}`;
    })
    .join('');
}

/** Sections of a record by artifact. */
function sections(text: string): ReadonlyMap<string, string> {
  const parts = text.split(/^=== /m).slice(1);
  return new Map(parts.map((part) => [part.slice(0, part.indexOf('  sha256')), part]));
}

async function withFolder<T>(files: Case['files'], work: () => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'spikec-golden-'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  try {
    return await inFolder(folder, work);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeOut(name: string, artifacts: readonly Artifact[]): void {
  if (outputs === undefined) return;
  const folder = join(outputs, name);
  mkdirSync(folder, { recursive: true });
  for (const { name: file, bytes } of artifacts) writeFileSync(join(folder, file.replaceAll(/[^\w.#-]+/g, '_')), bytes);
}

describe('outputs are those that were recorded', () => {
  it.each(cases)(
    '$name',
    async ({ name, files, targets }) => {
      const artifacts = await withFolder(files, async () => {
        const found: Artifact[] = [];
        for (const target of targets) found.push(...(await artifactsOf(target)));
        return found;
      });
      writeOut(name, artifacts);
      const file = join(recorded, `${name}.txt`);
      const text = record(artifacts);
      if (update) {
        mkdirSync(recorded, { recursive: true });
        return writeFileSync(file, text);
      }
      const [wanted, got] = [sections(existsSync(file) ? readFileSync(file, 'utf8') : ''), sections(text)];
      const changed = [...new Set([...wanted.keys(), ...got.keys()])].filter((key) => wanted.get(key) !== got.get(key));
      const shown = changed.map((key) =>
        createTwoFilesPatch(`${name}/${key}`, 'now', wanted.get(key) ?? '', got.get(key) ?? '', undefined, undefined, {
          context: 2,
        }),
      );
      expect(changed.length === 0, `${changed.length} outputs differ:\n${shown.join('\n').slice(0, 20_000)}`).toBe(
        true,
      );
    },
    300_000,
  );

  it('no record is left of a case that is gone', () => {
    const names = new Set(cases.map(({ name }) => `${name}.txt`));
    const trained = /^trained-/;
    expect(readdirSync(recorded).filter((file) => !names.has(file) && !trained.test(file))).toEqual([]);
  });
});
