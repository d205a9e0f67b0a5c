import { spawn, spawnSync } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { builtCommand } from '../support/built-command.js';
import { temporaryFolder } from '../support/temporary-folder.js';
import { tinyFloat, tinyImages } from '../support/tiny-onnx.js';

/** The built command on a screen of 80 columns, which `script` makes. */
let main = '';
const hasScript = process.platform === 'linux' && spawnSync('script', ['--version']).status === 0;
if (!hasScript) console.warn('SKIPPED: the screen, because script(1) is not installed');

beforeAll(() => {
  main = builtCommand();
}, 120_000);

function project(epochs: number, images = 3000): string {
  const folder = temporaryFolder();
  const data = tinyImages(images);
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

/** Lines of progress: each is drawn over the one before. The terminal itself shows a ^C that was pressed. */
function drawn(text: string): string[] {
  return [...text.matchAll(/\r\x1b\[2K([^\r\n\x1b]+)/g)].map(([, line]) => line!.replace(/\^C$/, ''));
}

/** What a command says that is ended by Ctrl-C once it shows how many of the images it has done. */
async function interruptedOnScreen(
  folder: string,
  command: string,
): Promise<{ said: string; lines: string[]; code: number }> {
  let pressed = false;
  const { text, code } = await onScreen(folder, command, (so, press) => {
    if (pressed || drawn(so).filter((line) => /\/s/.test(line)).length < 1) return;
    pressed = true;
    press('\x03');
  });
  return { said: text.slice(text.indexOf('interrupted')), lines: drawn(text), code };
}

const train = 'train tiny.spike --data idx:images,labels --engine tfjs-wasm -o run';

it.skipIf(!hasScript)(
  'a training on a screen of 80 columns: lines are whole, the time left has a unit, Ctrl-C says what is kept and how to go on',
  async () => {
    const folder = project(400, 10_000);
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
    const whole = /^(engine tfjs-wasm|epoch \d+\/400|epoch \d+|[a-z][a-z ]+)(  .*( %|left|\/s|images|\d| s))?$/;
    for (const line of lines) expect(line).toMatch(whole);
    expect(text).toMatch(/epoch 1  loss \d\.\d{4}  training accuracy \d+\.\d\d %  validation \d+\.\d\d %/);
    const said = text.slice(text.indexOf('interrupted'));
    const [, kept, run] = /running epoch (?:did is lost|are kept), (\d+) epochs are kept in (\S+)/.exec(said)!;
    expect(Number(kept)).toBeGreaterThanOrEqual(3);
    expect(run).toBe('run');
    const again = /To go on: spikec (train .*--resume)/.exec(said)![1]!;
    // what it says to type goes on behind what is kept
    const resumed = await onScreen(folder, `${again} --epochs ${Number(kept) + 1}`);
    expect(resumed.code).toBe(0);
    expect(resumed.text).toContain(`epoch ${Number(kept) + 1}  loss`);
    expect(resumed.text).not.toContain('epoch 1  loss');
    const best = /best epoch (\d+): validation \d+\.\d\d %, in (\S+)\r/.exec(resumed.text)!;
    if (Number(best[1]) === Number(kept) + 1) expect(best[2]).toBe('run');
    else {
      expect(best[2]).toBe('run/best');
      expect(resumed.text).toMatch(/last epoch \d+: validation \d+\.\d\d %, in run\r/);
    }
    // where it says that the best lies, it lies
    expect((await onScreen(folder, `cost ${best[2]}`)).code).toBe(0);
  },
  120_000,
);

it.skipIf(!hasScript)(
  'a conversion and an evaluation that are ended say in what, that nothing is kept, and that the same command begins anew',
  async () => {
    const folder = project(1, 300_000);
    writeFileSync(join(folder, 'tiny.onnx'), tinyFloat());
    const conversion = 'convert tiny.onnx --calibrate idx:images,labels --limit 300000 -o out';
    const cut = await interruptedOnScreen(folder, conversion);
    expect(cut.code).toBe(130);
    expect(cut.said).toMatch(
      /^interrupted in [a-z ]+, [\d,]+ of 300,000 images: nothing was written or kept; the same /,
    );
    expect(existsSync(join(folder, 'out'))).toBe(false);
    expect((await onScreen(folder, 'convert tiny.onnx --calibrate idx:images,labels --limit 100 -o out')).code).toBe(0);
    const evaluation = await interruptedOnScreen(folder, 'eval out/tiny.spike --batch 1 --data idx:images,labels');
    expect(evaluation.code).toBe(130);
    expect(evaluation.said).toMatch(
      /^interrupted in .+, [\d,]+ of 300,000 images: nothing was written or kept; the same /,
    );
    for (const line of [...cut.lines, ...evaluation.lines]) {
      expect(line.length).toBeLessThanOrEqual(79);
      expect(line).toMatch(/^[a-zA-Z ]+(  .*( %|left|\/s|images|\d))?$/);
    }
  },
  120_000,
);
