// A process that is given one input after the other, and what became of each: an answer, an exception, its end, a hang, or
// memory that grew too much. The process that hung, ended or grew is left, the next input gets a fresh one.
import { fork } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Bytes that an input may cost: so many times its size, and so much. */
export const growth = { factor: 4, plus: 300e6 };

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
   */
  constructor(path, { slowest = 5000 } = {}) {
    Object.assign(this, { path, slowest });
  }

  /**
   * Gives inputs `from … to − 1` of a batch to the process, which makes them itself, and tells what became of each; where one
   * loses the process, the rest is left. Gives the number of the first that has no answer.
   */
  async verdicts(batch, told) {
    let next = batch.from;
    while (next < batch.to) {
      const first = next;
      this.#worker ??= await this.#started();
      await this.#answers({ ...batch, from: first }, (answer) => {
        next = (answer.n ?? next) + 1;
        const verdict = this.#verdictOf(answer, answer.size ?? 0);
        told(next - 1, verdict);
        return answer.lost === true || verdict.lost || next === batch.to;
      });
    }
    return next;
  }

  /** What became of an input: `problem` where something is wrong, `refused` where it ended in diagnostics. */
  async verdict(input, size) {
    this.#worker ??= await this.#started();
    let found;
    await this.#answers(input, (answer) => {
      found = this.#verdictOf(answer, size);
      return true;
    });
    return found;
  }

  #verdictOf(answer, size) {
    const large = answer.grown > growth.factor * size + growth.plus;
    const lost = answer.lost === true || large;
    if (lost) this.end();
    const grown = large ? `memory grew by ${Math.round(answer.grown / 1e6)} MB` : undefined;
    const slow = answer.milliseconds >= this.slowest ? `longer than ${this.slowest} ms` : undefined;
    const { refused, milliseconds = 0 } = answer;
    return { problem: answer.problem ?? grown ?? slow, refused: refused === true, milliseconds, lost };
  }

  /** Sends `input` and hands over what is answered, until `last` says that nothing more is expected. */
  async #answers(input, last) {
    const child = this.#worker;
    let began = processorSeconds(child.pid);
    let start = performance.now();
    const late = () => {
      const clock = performance.now() - start;
      const own = processorSeconds(child.pid);
      const used = own === undefined || began === undefined ? clock : 1000 * (own - began);
      return used >= this.slowest || clock >= 10 * this.slowest;
    };
    await new Promise((done) => {
      const timer = setInterval(() => {
        // of an input that was answered, the time of the one behind it begins here
        if (start === undefined) [began, start] = [processorSeconds(child.pid), performance.now()];
        else if (late()) take({ problem: `longer than ${this.slowest} ms`, lost: true });
      }, this.slowest / 20);
      const take = (answer) => {
        start = undefined;
        if (!last(answer)) return;
        clearInterval(timer);
        child.removeAllListeners('message');
        child.removeAllListeners('exit');
        done();
      };
      child.on('message', take);
      child.once('exit', (code, signal) => take({ problem: `the process ended: ${signal ?? code}`, lost: true }));
      child.send(input);
    });
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
