import type { ShownGraph } from '../../src/lsp/graph.js';

/** What the panel's page is told. */
export type ToGraphPage =
  | { readonly kind: 'graph'; readonly config: string; readonly ops: ShownGraph['ops'] }
  /** The layers that stand at the cursor. */
  | { readonly kind: 'here'; readonly ids: readonly string[] }
  /** There is no network to draw. */
  | { readonly kind: 'nothing' };

/** What it says. */
export type FromGraphPage =
  /** It listens now. */
  { readonly kind: 'ready' } | { readonly kind: 'chosen'; readonly id: string };
