// What `spikec compare-codings --json` measured, as rows of the tables of README.md and as the plots of docs/codings.md (SWS Fig. 3, 4 and 5).
//   npm run bench -- codings FILE.json …
// Rows of the same coding, steps and network are replaced, unless they have more images; without files the plots are drawn anew from the tables.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { writeTables } from './lib/contest.mjs';

const networks = ['resnet20-cifar10', 'vgg7-cifar10', 'lenet5-maxpool-mnist'];
/** The plots show what lies at most so many points below the ANN. */
const depth = 12;
const page = () => readFileSync(new URL('README.md', import.meta.url), 'utf8');
const image = (name) => fileURLToPath(new URL(`../docs/images/codings-${name}.svg`, import.meta.url));

/** The table of a network: rows by the name of their coding. */
function tableOf(network) {
  const [, text = ''] = page().split(new RegExp(`<!-- /?codings ${network} -->`));
  const lines = text.split('\n').filter((line) => line.startsWith('|'));
  const rows = lines.slice(2).map((line) => line.split('|').map((cell) => cell.trim()));
  return new Map(
    rows.map(([, name, images, accuracy, below, agreement, latency, path, operations]) => [
      name,
      {
        name,
        // SWS by its steps, so that a line joins points that differ in silence alone
        coding: name.split(name.includes('/') ? '/' : ' ')[0],
        images: number(images),
        accuracy: number(accuracy) / 100,
        below: number(below),
        agreement: number(agreement) / 100,
        latency_steps: number(latency),
        critical_path_steps: number(path),
        operations: 1e6 * number(operations),
      },
    ]),
  );
}

const number = (cell) => Number(cell.replace(/[,% ]/g, '').replace('−', '-'));
const percent = (share) => `${(100 * share).toFixed(2)} %`;

function write(network, rows) {
  const order = [...rows.values()].sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  const lines = order.map(
    ({ name, images, accuracy, below, agreement, latency_steps: latency, critical_path_steps: path, operations }) =>
      `| ${[name, images.toLocaleString('en'), percent(accuracy), below.toFixed(2).replace('-', '−'), percent(agreement), latency.toLocaleString('en'), path.toLocaleString('en'), (operations / 1e6).toFixed(2)].join(' | ')} |`,
  );
  const head =
    '| coding, steps | images | accuracy | points below the ANN | agreement | latency | critical path | 10⁶ operations |';
  writeTables(`codings ${network}`, [head, `|${' --- |'.repeat(8)}`, ...lines].join('\n'));
}

function take({ network: name, samples, ann, points }) {
  const network = networks.find((one) => name.startsWith(one));
  if (network === undefined) throw new Error(`${name}: there is no table of it`);
  const rows = tableOf(network);
  for (const point of points) {
    if ((rows.get(point.name)?.images ?? 0) > samples) continue;
    rows.set(point.name, {
      critical_path_steps: point.latency_steps,
      ...point,
      images: samples,
      below: 100 * (ann.accuracy - point.accuracy),
    });
  }
  write(network, rows);
}

/** Accuracy over an effort; of samples, by how far they lie below the ANN on the same images. */
async function draw(name, network, over, wanted = () => true) {
  const { codingsPlot } = await import('../dist/src/report/plots/codings.js');
  const { renderPlot } = await import('../dist/src/report/plots/render.js');
  const rows = [...tableOf(network).values()].filter((row) => wanted(row));
  const all = rows.find(({ images }) => images === Math.max(...rows.map((row) => row.images)));
  if (all === undefined) return;
  const ann = all.accuracy + all.below / 100;
  const points = rows
    .filter(({ below }) => below <= depth)
    .map((row) => ({ ...row, accuracy: ann - row.below / 100 }))
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
  writeFileSync(image(name), `${await renderPlot(codingsPlot(points, over, ann))}\n`);
}

async function drawResiduals(points) {
  const { residualAccuracyPlot, residualsPlot } = await import('../dist/src/report/plots/residuals.js');
  const { renderPlot } = await import('../dist/src/report/plots/render.js');
  writeFileSync(image('residuals'), `${await renderPlot(residualsPlot(points))}\n`);
  writeFileSync(image('residuals-accuracy'), `${await renderPlot(residualAccuracyPlot(points))}\n`);
}

for (const file of process.argv.slice(2)) {
  const found = JSON.parse(readFileSync(file, 'utf8'));
  if (found.points.some(({ residuals }) => residuals !== undefined)) await drawResiduals(found.points);
  else take(found);
}
await draw('latency-resnet20', 'resnet20-cifar10', 'critical_path_steps');
await draw('latency-vgg7', 'vgg7-cifar10', 'critical_path_steps');
await draw('operations-resnet20', 'resnet20-cifar10', 'operations');
await draw('operations-lenet5', 'lenet5-maxpool-mnist', 'operations');
