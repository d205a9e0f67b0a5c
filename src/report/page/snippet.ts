import { html } from './html.js';

/**
 * A page as a piece of another page: a frame with all of the page in it, so that neither's styles reach the other, as notebooks
 * (Jupyter, Colab) display it. Its scripts run apart from the page around it.
 */
export function snippetOf(page: string, title: string): string {
  const style = 'width:100%;height:640px;border:1px solid #8884;resize:vertical';
  return html`<iframe title="${title}" sandbox="allow-scripts" style="${style}" srcdoc="${page}"></iframe> `.text;
}
