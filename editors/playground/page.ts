import { Compiler, Problems } from './compiler.js';
import { formatDocument, openEditor, replaceText } from './editor.js';
import { downloadForms } from './download-forms.js';
import { button, element, paragraph, problemList, save } from './elements.js';
import type { CompareAnswer, ConfigsAnswer, CostAnswer, Digits, DownloadAnswer, IrAnswer } from './messages.js';
import { fromLink, toLink } from './share.js';
import { TrainPane } from './train-pane.js';

/** What `pack.mjs` puts beside the page. */
interface Gallery {
  readonly examples: readonly { readonly name: string; readonly text: string; readonly files: readonly string[] }[];
  readonly digits: DigitFile;
  /** More of them, compressed. */
  readonly training: DigitFile;
}

interface DigitFile {
  readonly file: string;
  readonly images: number;
  readonly pixels: number;
}

const get = (id: string): HTMLElement => document.querySelector<HTMLElement>(`#${id}`)!;
const [examples, configs] = [get('example') as HTMLSelectElement, get('config') as HTMLSelectElement];
const [panel, status] = [get('panel'), get('status')];
const tabs = [...document.querySelectorAll<HTMLButtonElement>('[role=tab]')];
const compiler = new Compiler();

const gallery = (await (await fetch('gallery.json')).json()) as Gallery;
for (const { name } of gallery.examples) examples.add(new Option(name, name));
const shared = await fromLink(location.hash);
const first = gallery.examples[0]!;
if (shared !== undefined) examples.add(new Option('(from the link)', ''), 0);
examples.selectedIndex = 0;
await loadFiles(shared === undefined ? first.files : []);
const view = openEditor(get('editor'), shared ?? first.text, changed);

const training = new TrainPane({
  compiler,
  model: () => ({ text: textNow(), config: configs.value }),
  digits: () => digitsOf(gallery.training),
});

let shown = 'problems';
let pass: string | undefined;
let against: string | undefined;
let round = 0;
let timer: ReturnType<typeof setTimeout> | undefined;

function changed(): void {
  clearTimeout(timer);
  timer = setTimeout(() => void refresh(), 250);
}

const textNow = (): string => view.state.doc.toString();

/** Fetches files that come with the page, and tells the compiler of them. */
async function loadFiles(names: readonly string[]): Promise<void> {
  for (const name of names) {
    const bytes = new Uint8Array(await (await fetch(name)).arrayBuffer());
    await compiler.ask({ ask: 'file', name, bytes });
  }
}

/** Shows the pane anew; what was asked for an older text is dropped when it comes. */
async function refresh(): Promise<void> {
  const turn = ++round;
  status.textContent = 'working…';
  try {
    const { configs: names, problems } = await compiler.ask<ConfigsAnswer>({ ask: 'configs', text: textNow() });
    if (turn !== round) return;
    offer(configs, names);
    const content = await contentOf(problems, turn);
    if (turn !== round) return;
    panel.replaceChildren(...content);
    status.textContent =
      problems.length === 0 ? 'no problems' : `${problems.length} problem${problems.length === 1 ? '' : 's'}`;
  } catch (error) {
    if (turn !== round) return;
    panel.replaceChildren(...problemList(error instanceof Problems ? error.problems : [String(error)]));
    status.textContent = '';
  }
}

function offer(select: HTMLSelectElement, names: readonly string[]): void {
  const chosen = select.value;
  if ([...select.options].map(({ value }) => value).join() === names.join()) return;
  select.replaceChildren(...names.map((name) => new Option(name, name)));
  if (names.includes(chosen)) select.value = chosen;
}

async function contentOf(problems: readonly string[], turn: number): Promise<Node[]> {
  const [text, config] = [textNow(), configs.value];
  if (shown === 'problems') return problems.length === 0 ? [paragraph('No problems.')] : problemList(problems);
  if (config === '') return [paragraph('A config is missing.'), ...problemList(problems)];
  switch (shown) {
    case 'ir': {
      const { passes, ir } = await compiler.ask<IrAnswer>({
        ask: 'ir',
        text,
        config,
        ...(pass === undefined ? {} : { pass }),
      });
      const select = choice(
        'After the pass',
        passes,
        pass !== undefined && passes.includes(pass) ? pass : passes.at(-1)!,
        (value) => {
          pass = value;
        },
      );
      return [select, element('pre', ir)];
    }
    case 'cost':
      return [costTable(await compiler.ask<CostAnswer>({ ask: 'cost', text, config }))];
    case 'diff': {
      const names = [...configs.options].map(({ value }) => value).filter((name) => name !== config);
      if (names.length === 0) return [paragraph('A second config is missing: two are compared.')];
      const other = against !== undefined && names.includes(against) ? against : names[0]!;
      const select = choice('Compared with', names, other, (value) => {
        against = value;
      });
      return [select, frame('Differences', await compiler.ask<string>({ ask: 'diff', text, from: other, to: config }))];
    }
    case 'report':
      return [frame('Report', await compiler.ask<string>({ ask: 'report', text, config }))];
    case 'train':
      return [training.root];
    case 'compare':
      return [await comparison(text, config, turn)];
    default:
      return downloads(text, config);
  }
}

async function digitsOf({ file, images, pixels }: DigitFile): Promise<Digits> {
  const { body } = await fetch(file);
  const stream = file.endsWith('.gz') ? body!.pipeThrough(new DecompressionStream('gzip')) : body!;
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const labels = bytes.subarray(images * pixels);
  return { pixels: bytes.subarray(0, images * pixels), labels, mean: 0.5, std: 0.5 };
}

async function comparison(text: string, config: string, turn: number): Promise<Node> {
  const digits = await digitsOf(gallery.digits);
  const told = (said: string): void => {
    if (turn === round) status.textContent = said;
  };
  const found = await compiler.ask<CompareAnswer>({ ask: 'compare', text, config, digits }, told);
  const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
  return paragraph(
    `${found.images} digits in ${found.seconds.toFixed(1)} s: the network before its passes ${percent(found.source)}, after them ` +
      `${percent(found.spiking)}; they agree on ${percent(found.agreement)}.`,
  );
}

function downloads(text: string, config: string): Node[] {
  const link = (label: string, name: string, content: () => Promise<DownloadAnswer>): Node => {
    const [row, said] = [document.createElement('div'), document.createElement('div')];
    row.className = 'download';
    const show = (nodes: readonly Node[]): void => said.replaceChildren(...nodes);
    const press = button(label, () => {
      press.disabled = true;
      show([paragraph('working…')]);
      void content()
        .then(
          (made) => {
            save(name, made.content);
            show(made.notes.map(paragraph));
          },
          (error: unknown) => show(problemList([error instanceof Error ? error.message : String(error)])),
        )
        .finally(() => (press.disabled = false));
    });
    row.append(press, said);
    return row;
  };
  const plain = (content: string): DownloadAnswer => ({ content, notes: [] });
  return [
    link('Model file', 'model.spike', () => Promise.resolve(plain(text))),
    link('Network IR', `${config}.ir`, async () =>
      plain((await compiler.ask<IrAnswer>({ ask: 'ir', text, config })).ir),
    ),
    ...downloadForms.map(({ kind, label, ending }) =>
      link(label, `${config}${ending}`, () => compiler.ask<DownloadAnswer>({ ask: 'download', kind, text, config })),
    ),
    link('Report', `${config}.html`, async () => plain(await compiler.ask<string>({ ask: 'report', text, config }))),
  ];
}

/** A page of its own, that runs nothing. */
function frame(title: string, html: string): Node {
  const made = document.createElement('iframe');
  made.title = title;
  made.sandbox.value = '';
  // what would be blocked is left out
  made.srcdoc = html.replaceAll(/<script(?![^>]*application\/json)[^>]*>[\s\S]*?<\/script>/g, '');
  return made;
}

function choice(label: string, names: readonly string[], chosen: string, chose: (value: string) => void): Node {
  const select = document.createElement('select');
  select.append(...names.map((name) => new Option(name, name, false, name === chosen)));
  select.addEventListener('change', () => {
    chose(select.value);
    void refresh();
  });
  const row = document.createElement('label');
  row.append(`${label} `, select);
  return row;
}

function costTable({ head, rows, latency }: CostAnswer): Node {
  const table = document.createElement('table');
  const row = (cells: readonly string[], kind: 'th' | 'td'): void => {
    table.insertRow().append(...cells.map((cell) => element(kind, cell)));
  };
  row(head, 'th');
  for (const cells of rows) row(cells, 'td');
  const box = document.createElement('div');
  box.append(table, paragraph(`latency ${latency} steps`));
  return box;
}

function select(tab: string): void {
  shown = tab;
  for (const one of tabs) {
    const isShown = one.dataset['tab'] === tab;
    one.setAttribute('aria-selected', String(isShown));
    one.tabIndex = isShown ? 0 : -1;
    if (isShown) panel.setAttribute('aria-labelledby', one.id);
  }
  void refresh();
}

for (const [i, tab] of tabs.entries()) {
  tab.addEventListener('click', () => select(tab.dataset['tab']!));
  tab.addEventListener('keydown', ({ key }) => {
    const step = key === 'ArrowRight' ? 1 : key === 'ArrowLeft' ? -1 : 0;
    if (step === 0) return;
    const next = tabs[(i + step + tabs.length) % tabs.length]!;
    next.focus();
    select(next.dataset['tab']!);
  });
}
configs.addEventListener('change', () => void refresh());
examples.addEventListener('change', () => {
  const example = gallery.examples.find(({ name }) => name === examples.value);
  if (example === undefined) return;
  void loadFiles(example.files).then(() => replaceText(view, example.text));
});
get('format').addEventListener('click', () => formatDocument(view));
get('share').addEventListener('click', () => {
  void toLink(textNow()).then(async (link) => {
    history.replaceState(null, '', `#${link}`);
    await navigator.clipboard?.writeText(location.href).catch(() => undefined);
    status.textContent = 'the link is in the address, and copied';
  });
});

async function openOnnx(file: File): Promise<void> {
  const name = file.name.replaceAll(/[^\w.-]/g, '_');
  await compiler.ask({ ask: 'file', name, bytes: new Uint8Array(await file.arrayBuffer()) });
  replaceText(view, `config converted {\n  network onnx("${name}")\n  coding  sws(steps: 8, silent: 2)\n}\n`);
}

get('file').addEventListener('change', ({ target }) => {
  const [file] = (target as HTMLInputElement).files ?? [];
  if (file !== undefined) void openOnnx(file);
});
document.addEventListener('dragover', (event) => event.preventDefault());
document.addEventListener('drop', (event) => {
  event.preventDefault();
  const [file] = event.dataTransfer?.files ?? [];
  if (file !== undefined) void openOnnx(file);
});

// on HTTPS, and on this machine itself
if ('serviceWorker' in navigator && isSecureContext) void navigator.serviceWorker.register('offline.js');
select('problems');
document.documentElement.dataset['ready'] = 'true';
