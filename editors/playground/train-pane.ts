import { type DownloadForm, downloadForms } from './download-forms.js';
import type { Compiler } from './compiler.js';
import { button, element, image, problemList, save } from './elements.js';
import {
  type Digits,
  type DownloadAnswer,
  type TrainEpoch,
  type TrainReply,
  type TrainRequest,
  type Weights,
  backends,
} from './messages.js';

export interface TrainPaneOptions {
  readonly compiler: Compiler;
  /** The model and its config of the moment. */
  readonly model: () => { readonly text: string; readonly config: string };
  readonly digits: () => Promise<Digits>;
}

const usualEpochs = 15;
/** Engines that can be asked for, as a page says them. */
const engines = { fastest: 'the fastest here', webgpu: 'WebGPU', wasm: 'WebAssembly', cpu: 'JavaScript' } as const;
const percent = (share: number | undefined): string => (share === undefined ? '–' : `${(100 * share).toFixed(1)} %`);

/** Trains the config that is chosen, in a worker; curves, spikes and membranes are drawn after each epoch. */
export class TrainPane {
  readonly root = document.createElement('div');
  readonly #options: TrainPaneOptions;
  readonly #epochs = document.createElement('input');
  readonly #backend = document.createElement('select');
  readonly #train = button('Train', () => void this.#start());
  readonly #stop = button('Stop', () => this.#end('stopped'));
  readonly #says = element('p', '');
  readonly #table = document.createElement('table');
  readonly #pictures = document.createElement('div');
  readonly #keep = document.createElement('p');
  #worker: Worker | undefined;
  #records: TrainEpoch['record'][] = [];
  #drawing = Promise.resolve();

  constructor(options: TrainPaneOptions) {
    this.#options = options;
    Object.assign(this.#epochs, { type: 'number', min: '1', max: '200', value: String(usualEpochs) });
    const label = document.createElement('label');
    label.append('Epochs ', this.#epochs);
    const row = document.createElement('p');
    row.className = 'row';
    const engine = document.createElement('label');
    engine.append('Engine ', this.#backend);
    for (const [value, words] of Object.entries(engines)) this.#backend.append(new Option(words, value));
    row.append(label, engine, this.#train, this.#stop);
    this.#stop.disabled = true;
    this.#says.setAttribute('role', 'status');
    this.#says.textContent =
      'Trains the config on 2,000 handwritten digits, in this page: a fifth of them is held back to measure on.';
    this.root.className = 'training';
    this.root.append(row, this.#says, this.#keep, this.#table, this.#pictures);
  }

  async #start(): Promise<void> {
    this.#end('');
    this.#records = [];
    for (const one of [this.#table, this.#pictures, this.#keep]) one.replaceChildren();
    this.#train.disabled = true;
    this.#stop.disabled = false;
    this.#say('loading digits and TensorFlow.js');
    const model = this.#options.model();
    const epochs = Math.min(200, Math.max(1, Math.round(Number(this.#epochs.value) || usualEpochs)));
    const asked = backends.find((backend) => backend === this.#backend.value);
    const engine = asked === undefined ? {} : { backend: asked };
    const request: TrainRequest = { ...model, ...engine, epochs, digits: await this.#options.digits() };
    // stopped in the meantime
    if (this.#stop.disabled) return;
    this.#worker = new Worker('trainer-worker.js');
    this.#worker.addEventListener('message', ({ data }: MessageEvent<TrainReply>) => this.#hear(data, model));
    this.#worker.addEventListener('error', ({ message }) => this.#end(`training failed: ${message}`));
    this.#worker.postMessage(request);
  }

  #hear(reply: TrainReply, model: { readonly text: string; readonly config: string }): void {
    if ('start' in reply) {
      const { engine, images, held } = reply.start;
      this.root.dataset['engine'] = engine;
      this.#say(`${images - held} digits to train on, ${held} held back; ${engine}`);
    } else if ('progress' in reply) this.#say(reply.progress);
    else if ('epoch' in reply) this.#epoch(reply.epoch, model);
    else if ('problems' in reply) {
      this.#end('');
      this.#pictures.replaceChildren(...problemList(reply.problems));
    } else this.#end(`done: ${percent(this.#records.at(-1)?.val_accuracy)} of the digits held back`);
  }

  #epoch({ record, weights, trace }: TrainEpoch, model: { readonly text: string; readonly config: string }): void {
    this.#records.push(record);
    const cells = [record.epoch, record.loss.toFixed(4), percent(record.accuracy), percent(record.val_accuracy)];
    if (this.#records.length === 1) {
      const head = this.#table.createTHead().insertRow();
      for (const title of ['epoch', 'loss', 'training accuracy', 'held back']) {
        const cell = element('th', title);
        cell.scope = 'col';
        head.append(cell);
      }
      this.#table.createTBody();
    }
    const row = this.#table.tBodies[0]!.insertRow();
    row.append(...cells.map((cell) => element('td', String(cell))));
    this.root.dataset['accuracy'] = String(record.val_accuracy ?? '');
    this.#keep.replaceChildren(
      ...downloadForms.map((form) =>
        button(`Download the trained network (${form.label})`, () => void this.#download(form, model, weights)),
      ),
    );
    const records = [...this.#records];
    // one drawing after the other; of an epoch that another has overtaken nothing is drawn
    this.#drawing = this.#drawing.then(async () => {
      if (records.length !== this.#records.length) return;
      const { compiler } = this.#options;
      const [first] = trace.layers;
      const drawn = await Promise.all([
        compiler.ask<string>({ ask: 'curves', records }),
        compiler.ask<string>({ ask: 'raster', layers: trace.layers }),
        ...(first === undefined ? [] : [compiler.ask<string>({ ask: 'membranes', layer: first })]),
      ]);
      const names = ['Curves', `Spikes on a digit ${trace.label}, read as ${trace.predicted}`, 'Membranes'];
      this.#pictures.replaceChildren(...drawn.map((svg, i) => image(names[i]!, svg)));
    });
  }

  async #download(
    { kind, ending }: DownloadForm,
    model: { readonly text: string; readonly config: string },
    weights: Weights,
  ): Promise<void> {
    try {
      const { compiler } = this.#options;
      const { content } = await compiler.ask<DownloadAnswer>({ ask: 'download', kind, ...model, weights });
      save(`${model.config}-trained${ending}`, content);
    } catch (error) {
      this.#keep.append(...problemList([error instanceof Error ? error.message : String(error)]));
    }
  }

  #end(said: string): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    this.#train.disabled = false;
    this.#stop.disabled = true;
    this.#say(said);
  }

  #say(text: string): void {
    this.#says.textContent = text;
  }
}
