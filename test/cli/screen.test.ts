import { spawn, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tinyImages } from '../support/tiny-onnx.js';

/** The built command on a screen of 80 columns, which `script` makes. */
const main = resolve('dist-test/src/cli/main.js');
const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;
if (!hasScript) console.warn('SKIPPED: the screen, because script(1) is not installed');

beforeAll(() => {
  const compiler = resolve('node_modules/typescript/bin/tsc');
  const args = [compiler, '-p', 'tsconfig.build.json', '--outDir', 'dist-test'];
  const { status, stdout } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the build failed:\n${stdout}`);
}, 120_000);

function project(epochs: number): string {
  const folder = temporaryFolder();
  const data = tinyImages(6000);
  writeFileSync(join(folder, 'images'), data.images);
  writeFileSync(join(folder, 'labels'), data.labels);
  writeFileSync(
    join(folder, 'tiny.spike'),
    `use "spikec/neurons" { LIF }
     network Tiny { input image: real[1, 6, 6]  output image | flatten | linear(64) | spike | linear(3) }
     config tiny {
       network Tiny  neuron LIF  coding rate(3)
       train { optimizer adam(lr: 1e-2)  batch 8  epochs ${epochs}  validation 0.2 }
     }`,
  );
  return folder;
}

/** What the screen is sent, and how the command ends; `onText` may press keys. */
async function onScreen(
  folder: string,
  command: string,
  onText: (text: string, press: (key: string) => void) => void = () => undefined,
): Promise<{ text: string; code: number }> {
  const { CI: _, NO_COLOR: __, FORCE_COLOR: ___, ...env } = process.env;
  const line = `stty cols 80 rows 24; exec '${process.execPath}' '${main}' ${command}`;
  const child = spawn('script', ['-qefc', line, '/dev/null'], { cwd: folder, env: { ...env, TERM: 'xterm' } });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    text += more;
    onText(text, (key) => child.stdin.write(key));
  });
  const code = await new Promise<number>((done) => child.on('close', (status) => done(status ?? -1)));
  return { text, code };
}

/** Lines of progress: each is drawn over the one before. */
function drawn(text: string): string[] {
  return [...text.matchAll(/\r\x1b\[2K([^\r\n\x1b]+)/g)].map(([, line]) => line!);
}

const train = 'train tiny.spike --data idx:images,labels --engine tfjs-wasm -o run';

it.skipIf(!hasScript)(
  'a training on a screen of 80 columns: lines are whole, the time left has a unit, Ctrl-C says what is kept and how to go on',
  async () => {
    const folder = project(400);
    let pressed = false;
    const { text, code } = await onScreen(folder, train, (so, press) => {
      if (pressed || !/epoch 3 /.test(so) || drawn(so).filter((line) => line.includes('left')).length < 3) return;
      pressed = true;
      press('\x03');
    });
    expect(code).toBe(130);
    const lines = drawn(text);
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) expect(line.length).toBeLessThanOrEqual(79);
    expect(lines.filter((line) => /  \d+ (s|min|h) left$/.test(line)).length).toBeGreaterThan(0);
    // no line ends within a figure or a word
    for (const line of lines) expect(line).toMatch(/^(epoch \d+\/400|[a-z].*?)(  .*(%|left|\/s|images|\d))?$/);
    expect(text).toMatch(/epoch 1  loss \d\.\d{4}  training accuracy \d+\.\d\d %  validation \d+\.\d\d %/);
    const said = text.slice(text.indexOf('interrupted'));
    const [, kept, run] = /what the running epoch did is lost, (\d+) epochs are kept in (\S+)/.exec(said)!;
    expect(Number(kept)).toBeGreaterThanOrEqual(3);
    expect(run).toBe('run');
    const again = /To go on: spikec (train .*--resume)/.exec(said)![1]!;
    // what it says to type goes on behind what is kept
    const resumed = await onScreen(folder, `${again} --epochs ${Number(kept) + 1}`);
    expect(resumed.code).toBe(0);
    expect(resumed.text).toContain(`epoch ${Number(kept) + 1}  loss`);
    expect(resumed.text).not.toContain('epoch 1  loss');
    const best = /best epoch (\d+): validation \d+\.\d\d %, in (\S+)/.exec(resumed.text)!;
    if (Number(best[1]) !== Number(kept) + 1) {
      expect(best[2]).toMatch(/^run\/best/);
      expect(resumed.text).toMatch(/last epoch \d+: validation \d+\.\d\d %, in run\b/);
    } else expect(best[2]).toMatch(/^run/);
    const missing = await onScreen(folder, `cost ${best[2]!.replace(/;$/, '')}`);
    expect(missing.code).toBe(0);
  },
  120_000,
);
