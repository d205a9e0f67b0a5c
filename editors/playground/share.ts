/** Longest text that a link may stand for: that of a model file. */
const longest = 262_144;

/** A text as the part of a link behind `#`: compressed, in the alphabet of links. */
export async function toLink(text: string): Promise<string> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream('deflate-raw'));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join('');
  return `m=${btoa(binary).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')}`;
}

/** The text of a link; nothing where it is none, or more than a model file may have. Nothing of it is run. */
export async function fromLink(hash: string): Promise<string | undefined> {
  const coded = /^#?m=([A-Za-z0-9_-]+)$/.exec(hash)?.[1];
  if (coded === undefined || coded.length > 2 * longest) return undefined;
  try {
    const bytes = Uint8Array.from(atob(coded.replaceAll('-', '+').replaceAll('_', '/')), (sign) => sign.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate-raw'));
    const reader = stream.pipeThrough(new TextDecoderStream('utf-8', { fatal: true })).getReader();
    let text = '';
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text;
      text += value;
      // a few bytes may unpack to gigabytes
      if (text.length > longest) {
        await reader.cancel();
        return undefined;
      }
    }
  } catch {
    return undefined;
  }
}
