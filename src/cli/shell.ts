/** An argument as one writes it in a shell: in quotes where it needs them. */
export function quoted(text: string): string {
  return /^[\w#./\\:@,=+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
