/** A page of the site: a Markdown file of the repository, by its path. */
export interface SitePage {
  readonly path: string;
  /** Short, for the list at the side; otherwise its first heading. */
  readonly title?: string;
}

export interface Chapter {
  readonly title: string;
  readonly pages: readonly SitePage[];
}

const docs = (name: string, title?: string): SitePage => ({
  path: `docs/${name}.md`,
  ...(title === undefined ? {} : { title }),
});
const example = (name: string): SitePage => ({ path: `examples/${name}/README.md` });

/** What the site has, in the order of its list. A test holds that no page of `docs/` and no example is missing. */
export const chapters: readonly Chapter[] = [
  { title: 'Start', pages: [{ path: 'README.md', title: 'spikec' }] },
  {
    title: 'Tutorials',
    pages: [
      docs('tutorials/README', 'All tutorials'),
      ...[
        'write-a-network',
        'write-your-own-neuron',
        'convert-onnx',
        'multi-bit-neurons',
        'integer-neurons',
        'adaptive-bits',
        'pytorch',
        'microcontroller',
        'compare-configs',
      ].map((name) => docs(`tutorials/${name}`)),
    ],
  },
  {
    title: 'Reference',
    pages: [
      docs('language'),
      docs('neurons'),
      docs('diagnostics'),
      docs('cli', 'Command line'),
      docs('editors'),
      docs('network-ir'),
      docs('backends'),
      docs('passes'),
      docs('tensor-ir'),
    ],
  },
  {
    title: 'Conversion and training',
    pages: [
      docs('onnx-import'),
      docs('sws', 'Stepwise weighted spikes'),
      docs('conversion'),
      docs('codings'),
      docs('training'),
      docs('events'),
      docs('detection'),
      docs('pytorch'),
      docs('nir'),
    ],
  },
  {
    title: 'Running and measuring',
    pages: [
      docs('engines'),
      docs('c'),
      docs('cost'),
      docs('diff'),
      docs('report'),
      { path: 'bench/README.md', title: 'Measured figures' },
    ],
  },
  {
    title: 'Examples',
    pages: [
      example('convert-onnx'),
      example('write-a-network'),
      example('write-your-own-neuron'),
      example('multibit'),
      example('ibra'),
      example('adaptive-bits'),
      { path: 'examples/adaptive-bits/post-training.md' },
      example('spikformer'),
      example('diff-configs'),
      example('event-mnist'),
      example('spoken-digits'),
      example('sequences'),
      example('autoencoder'),
      example('detection'),
      example('segment-digits'),
      example('notebooks'),
    ],
  },
  {
    title: 'Inside',
    pages: [docs('architecture'), docs('fuzzing', 'Damaged and hostile input'), { path: 'CHANGELOG.md' }],
  },
];

/** Where a page's file lies in the site: `docs/tutorials/README.md` is `docs/tutorials/index.html`. */
export function addressOf(path: string): string {
  return path.replace(/(^|\/)README\.md$/, '$1index.html').replace(/\.md$/, '.html');
}
