// A process that is given one input after the other, and what became of each: an answer, an exception, its end, a hang, or
// memory that grew too much. The process that hung, ended or grew is left, the next input gets a fresh one.
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Seconds of processor time that a process has used; undefined where the system doesn't tell. */
function processorSeconds(pid) {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  } catch {
    return undefined;
  }
}

export class Watched {
  #worker;

  /**
   * `slowest`: milliseconds of the process's own time; on a busy machine an input may take ten times as long by the clock.
   * `growth(size)`: bytes that an input of this size may cost.
   */
  constructor(path, { slowest = 5000, growth = (size) => 4 * size + 300e6 } = {}) {
    Object.assign(this, { path, slowest, growth });
  }

  /** What became of an input: `problem` where something is wrong, `refused` where it ended in diagnostics. */
  async verdict(input, size) {
    this.#worker ??= await this.#started();
    const child = this.#worker;
    const began = processorSeconds(child.pid);
    const start = performance.now();
    const late = () => {
      const clock = performance.now() - start;
      const own = processorSeconds(child.pid);
      const used = own === undefined || began === undefined ? clock : 1000 * (own - began);
      return used >= this.slowest || clock >= 10 * this.slowest;
    };
    const answer = await new Promise((done) => {
      const timer = setInterval(() => {
        if (late()) finish({ problem: `longer than ${this.slowest} ms`, lost: true });
      }, this.slowest / 20);
      const finish = (result) => {
        clearInterval(timer);
        child.removeAllListeners('message');
        child.removeAllListeners('exit');
        done(result);
      };
      child.once('message', finish);
      child.once('exit', (code, signal) => finish({ problem: `the process ended: ${signal ?? code}`, lost: true }));
      child.send(input);
    });
    const large = answer.grown > this.growth(size);
    if (answer.lost || large) this.end();
    const grown = large ? `memory grew by ${Math.round(answer.grown / 1e6)} MB` : undefined;
    return { problem: answer.problem ?? grown, refused: answer.refused === true };
  }

  end() {
    this.#worker?.removeAllListeners('exit');
    this.#worker?.kill('SIGKILL');
    this.#worker = undefined;
  }

  /** A fresh process, its heap bounded. */
  async #started() {
    const options = { execArgv: ['--max-old-space-size=1024'], stdio: ['ignore', 'ignore', 'pipe', 'ipc'] };
    const child = fork(this.path, [], options);
    child.stderr.on('data', () => undefined);
    await new Promise((done) => child.once('message', done));
    return child;
  }
}
