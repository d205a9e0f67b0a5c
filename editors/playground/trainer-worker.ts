import type { TrainReply, TrainRequest } from './messages.js';
import { train } from './trainer.js';
import { wordsOf } from './words.js';

/** The texts of the standard library: `pack.mjs` puts them in. */
declare const spikecLibrary: Readonly<Record<string, string>>;

const scope = globalThis as unknown as {
  postMessage(message: TrainReply): void;
  addEventListener(kind: 'message', listener: (event: { data: TrainRequest }) => void): void;
};

/** One training; who wants it to stop ends the worker. */
scope.addEventListener('message', ({ data: request }) => {
  const files = { library: spikecLibrary, onnx: new Map<string, Uint8Array>() };
  const hooks = {
    onStart: (start: Extract<TrainReply, { start: unknown }>['start']) => scope.postMessage({ start }),
    onProgress: (progress: string) => scope.postMessage({ progress }),
    onEpoch: (epoch: Extract<TrainReply, { epoch: unknown }>['epoch']) => scope.postMessage({ epoch }),
  };
  void train(request, files, hooks).then(
    () => scope.postMessage({ done: true }),
    (error: unknown) => scope.postMessage({ problems: wordsOf(error) }),
  );
});
