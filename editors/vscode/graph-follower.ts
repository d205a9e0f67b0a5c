import type { ShownGraph } from '../../src/lsp/graph.js';
import type { FromGraphPage, ToGraphPage } from './graph-messages.js';

type Place = ShownGraph['places'][string];
type Position = Place['range']['start'];

/** What a graph's panel needs of its editor. */
export interface GraphEditor {
  /** Asks the server (`spikec/graph`). */
  ask(uri: string, position: Position): Promise<ShownGraph | null>;
  post(message: ToGraphPage): void;
  /** Goes where a layer is written. */
  reveal(place: Place): void;
}

/** Keeps a panel's page at the cursor, and the cursor at what is chosen in the page. */
export class GraphFollower {
  #shown: ShownGraph | undefined;
  #drawn = '';
  #asked = 0;

  constructor(private readonly editor: GraphEditor) {}

  /** The cursor is somewhere, or the text has changed: a network that is drawn already isn't sent again. */
  async follow(uri: string, position: Position): Promise<void> {
    const asked = ++this.#asked;
    const graph = await this.editor.ask(uri, position);
    // an answer that was overtaken by another question
    if (asked !== this.#asked) return;
    // while a text is being written it may have no network: what was drawn last stays
    if (graph === null) {
      if (this.#shown === undefined) this.editor.post({ kind: 'nothing' });
      return;
    }
    this.#shown = graph;
    this.#draw();
    this.editor.post({ kind: 'here', ids: graph.here });
  }

  /** The page says something. */
  receive(message: FromGraphPage): void {
    if (message.kind === 'ready') {
      this.#drawn = '';
      if (this.#shown === undefined) return;
      this.#draw();
      this.editor.post({ kind: 'here', ids: this.#shown.here });
      return;
    }
    const places = this.#shown?.places ?? {};
    if (Object.hasOwn(places, message.id)) this.editor.reveal(places[message.id]!);
  }

  #draw(): void {
    const { config, ops } = this.#shown!;
    const drawn = JSON.stringify([config, ops]);
    if (drawn === this.#drawn) return;
    this.#drawn = drawn;
    this.editor.post({ kind: 'graph', config, ops });
  }
}

/** The panel's page. Only the script of this address and the styles in it are let in. */
export function graphHtml(script: string, allowed: string): string {
  const policy = `default-src 'none'; style-src 'unsafe-inline'; script-src ${allowed}`;
  return `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><title>spikec graph</title></head>
<body><main><p id="said" role="status">Put the cursor into a model file.</p><div id="graph"></div></main>
<script src="${script}"></script></body>
</html>
`;
}
