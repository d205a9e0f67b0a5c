import type { TextEdit } from 'vscode-languageserver';
import { formatText } from '../syntax/index.js';
import { positionAt } from './positions.js';
import type { Analysis } from './project.js';

/** The one layout of the language; nothing for a text that has syntax errors, or has it already. */
export function formatted({ source }: Analysis): TextEdit[] {
  const { value } = formatText(source);
  if (value === undefined || value === source.text) return [];
  return [{ range: { start: positionAt(source, 0), end: positionAt(source, source.text.length) }, newText: value }];
}
