// Contenders are processes of their own that take turns, so that what else the machine does meets all alike.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** The option `--NAME VALUE` of the command line. */
export function option(name, fallback) {
  const at = process.argv.indexOf(`--${name}`);
  return at === -1 ? fallback : process.argv[at + 1];
}

/** A contender's side: answers each line "STEPS" with what so many steps took, `step` giving each one's loss. */
export async function answer(step) {
  const base = process.memoryUsage().rss / 1024;
  for await (const line of createInterface({ input: process.stdin })) {
    const [wall, cpu] = [performance.now(), process.cpuUsage()];
    let loss = 0;
    for (let i = 0; i < Number(line); i++) loss = await step();
    const { user, system } = process.cpuUsage(cpu);
    const step_mib = (process.resourceUsage().maxRSS - base) / 1024;
    const result = { seconds: (performance.now() - wall) / 1000, cpu: (user + system) / 1e6, loss, step_mib };
    process.stdout.write(`${JSON.stringify(result)}\n`);
  }
}

/** Runs the training step of a program again and again on the same feeds. */
export function trainingSteps(executable, step, feeds) {
  const scalar = (value) => ({ dtype: 'f32', shape: [], data: Float32Array.of(value) });
  let states = Object.fromEntries(step.states.map(({ id, initial }) => [id, initial]));
  let done = 0;
  return async () => {
    const results = await executable.step({ ...states, ...feeds, learning_rate: scalar(0.01), step: scalar(++done) });
    states = Object.fromEntries(step.states.map(({ id }) => [id, results[`next.${id}`]]));
    return results.loss.data[0];
  };
}

/** Runs a program that keeps its states again and again on the same feeds. */
export function heldSteps(executable, feeds) {
  const scalar = (value) => ({ dtype: 'f32', shape: [], data: Float32Array.of(value) });
  let done = 0;
  return async () => {
    const results = await executable.step({ ...feeds, learning_rate: scalar(0.01), step: scalar(++done) });
    return results.loss.data[0];
  };
}

/** One contender by itself: rounds of about `seconds` each. Gives the steps of a round and what every round took. */
export async function alone(command, args, { rounds, seconds, env = {}, most = 50 }) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let said = '';
  child.stderr.on('data', (text) => (said += text));
  const ended = new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message));
    child.on('exit', (code) => resolve(`it ended with code ${code}: ${said.trim().split('\n').at(-1)}`));
  });
  child.stdin.on('error', () => undefined);
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const ask = async (count) => {
    child.stdin.write(`${count}\n`);
    const line = await Promise.race([lines.next(), ended]);
    if (typeof line === 'string' || line.done) throw new Error(typeof line === 'string' ? line : await ended);
    return JSON.parse(line.value);
  };
  await ask(1);
  await ask(2);
  const one = await ask(1);
  const count = Math.max(1, Math.min(most, Math.round(seconds / one.seconds)));
  const measured = [];
  for (let round = 0; round < rounds; round++) measured.push(await ask(count));
  child.stdin.end();
  await ended;
  return { count, measured };
}

/**
 * Lets contenders `[name, [command, args]]` take turns for some rounds of about `seconds` each. Gives, for each, the
 * steps of a round and what every round took.
 */
export async function compete(contenders, { rounds, seconds = 3, most = 10 }) {
  const running = contenders.map(([name, [command, args]]) => {
    const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
    const ask = async (count) => {
      child.stdin.write(`${count}\n`);
      return JSON.parse((await lines.next()).value);
    };
    return { name, child, ask, measured: [] };
  });
  for (const contender of running) {
    // the first step compiles and allocates
    await contender.ask(1);
    const one = await contender.ask(1);
    contender.count = Math.max(1, Math.min(most, Math.round(seconds / one.seconds)));
  }
  for (let round = 0; round < rounds; round++) {
    for (const contender of running) contender.measured.push(await contender.ask(contender.count));
  }
  for (const { child } of running) {
    child.stdin.end();
    await once(child, 'exit');
  }
  return running;
}

/** Seconds of each step of a program that is profiled, the best of some runs. */
export async function bestTimes(opened, run, rounds) {
  await run();
  let before = await opened.times();
  const best = before.map(() => Infinity);
  for (let round = 0; round < rounds; round++) {
    await run();
    const now = await opened.times();
    now.forEach((one, i) => (best[i] = Math.min(best[i], one.seconds - before[i].seconds)));
    before = now;
  }
  return before.map(({ step }, i) => ({ step, seconds: best[i] }));
}

/** Says what each step of a program took, and all of them. */
export function sayTimes(title, times) {
  const ms = (value) => (1000 * value).toFixed(2).padStart(8);
  console.log(`\n${title}: ${ms(times.reduce((sum, { seconds }) => sum + seconds, 0)).trim()} ms`);
  for (const { step, seconds } of times) console.log(`${ms(seconds)} ${step.slice(0, 110)}`);
}

/** Puts tables between the marks of a name in bench/README.md, laid out as the formatter does. */
export function writeTables(name, text) {
  const path = fileURLToPath(new URL('../README.md', import.meta.url));
  const [begin, end] = [`<!-- ${name} -->`, `<!-- /${name} -->`];
  const page = readFileSync(path, 'utf8');
  const [at, until] = [page.indexOf(begin), page.indexOf(end)];
  if (at < 0 || until < at) throw new Error(`${path} has no marks ${begin} and ${end}`);
  writeFileSync(path, `${page.slice(0, at)}${begin}\n\n${text}\n\n${page.slice(until)}`);
  spawnSync('npx', ['prettier', '--write', path], { stdio: 'inherit' });
}
