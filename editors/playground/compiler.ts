import type { Reply, Request } from './messages.js';

type Ask = Request extends infer R ? (R extends { readonly id: number } ? Omit<R, 'id'> : never) : never;

/** What is wrong, in words for people. */
export class Problems extends Error {
  constructor(readonly problems: readonly string[]) {
    super(problems.join('\n'));
  }
}

/** The compiler in its worker. What was asked last counts: who asks again for the same pane hears only of that. */
export class Compiler {
  readonly #worker = new Worker('compiler-worker.js');
  readonly #waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void; progress?: (text: string) => void }
  >();
  #next = 1;

  constructor() {
    this.#worker.addEventListener('message', ({ data }: MessageEvent<Reply>) => {
      const waiting = this.#waiting.get(data.id);
      if (waiting === undefined) return;
      if ('progress' in data) {
        waiting.progress?.(data.progress);
        return;
      }
      this.#waiting.delete(data.id);
      if ('problems' in data) waiting.reject(new Problems(data.problems));
      else waiting.resolve(data.answer);
    });
  }

  ask<T>(request: Ask, progress?: (text: string) => void): Promise<T> {
    const id = this.#next++;
    return new Promise<T>((resolve, reject) => {
      const waiting = { resolve: resolve as (value: unknown) => void, reject };
      this.#waiting.set(id, progress === undefined ? waiting : { ...waiting, progress });
      this.#worker.postMessage({ ...request, id });
    });
  }
}
