/** Gives the user a file. */
export function save(name: string, part: string | Uint8Array): void {
  const url = URL.createObjectURL(new Blob([part as BlobPart]));
  const anchor = document.createElement('a');
  anchor.href = url;
  anchor.download = name;
  anchor.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

export function element<K extends keyof HTMLElementTagNameMap>(kind: K, text: string): HTMLElementTagNameMap[K] {
  const made = document.createElement(kind);
  made.textContent = text;
  return made;
}

export const paragraph = (text: string): Node => element('p', text);

export function problemList(problems: readonly string[]): Node[] {
  return problems.map((text) => {
    const made = element('p', text);
    made.className = text.includes('error') ? 'problem wrong' : 'problem';
    return made;
  });
}

export function button(label: string, pressed: () => void): HTMLButtonElement {
  const made = element('button', label);
  made.type = 'button';
  made.addEventListener('click', pressed);
  return made;
}

/** A drawing that is only shown: nothing in it runs or loads. */
export function image(title: string, svg: string): Node {
  const made = document.createElement('figure');
  const picture = document.createElement('img');
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  picture.alt = title;
  made.append(picture, element('figcaption', title));
  return made;
}
