/**
 * The page's script: tabs, and the graph's zoom, pan, search and details. It writes text as text only
 * (`textContent`), so that nothing of a model file is ever read as HTML.
 */
export const script = String.raw`'use strict';
(() => {
  const all = (root, selector) => [...root.querySelectorAll(selector)];
  const tabs = all(document, '.tabs button');
  const show = (n) => {
    for (const [i, tab] of tabs.entries()) tab.setAttribute('aria-selected', String(i === n));
    for (const part of all(document, '[data-target]')) part.hidden = Number(part.dataset.target) !== n;
    for (const link of all(document, 'nav a')) {
      const { section } = link.dataset;
      const id = document.getElementById(section) === null ? section + '-' + n : section;
      link.href = '#' + id;
      link.hidden = document.getElementById(id) === null;
    }
    for (const graph of graphs) graph.begin();
  };
  tabs.forEach((tab, n) => tab.addEventListener('click', () => show(n)));

  const element = (name, text, className) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    if (className !== undefined) made.className = className;
    return made;
  };

  const details = ({ id, kind, blocks }) => {
    const made = [element('h3', id), element('p', kind, 'kind')];
    for (const block of blocks) {
      made.push(element('h4', block.title));
      if (block.text !== undefined) {
        made.push(element('pre', block.text));
        continue;
      }
      const list = element('dl');
      for (const [name, value] of block.rows) list.append(element('dt', name), element('dd', value));
      made.push(list);
    }
    return made;
  };

  const network = (root) => {
    const svg = root.querySelector('svg.graph');
    const canvas = root.querySelector('.canvas');
    const panel = root.querySelector('.details');
    const ops = JSON.parse(root.querySelector('script.ops').textContent);
    const boxes = all(svg, '.op');
    const width = Number(svg.dataset.width);
    const height = Number(svg.dataset.height);
    let view;
    const apply = () => svg.setAttribute('viewBox', [view.x, view.y, view.w, view.h].join(' '));
    const size = () => ({ w: canvas.clientWidth, h: canvas.clientHeight });
    const fit = () => {
      const scale = Math.max(width / size().w, height / size().h, 0.6);
      view = { w: size().w * scale, h: size().h * scale };
      view.x = (width - view.w) / 2;
      view.y = (height - view.h) / 2;
      apply();
    };
    // begins at the top, at a size that can be read
    const begin = () => {
      if (view !== undefined || size().w === 0) return;
      fit();
      const scale = view.w / size().w;
      if (scale <= 1.25) return;
      const first = boxes.length === 0 ? width / 2 : place(boxes[0]).x;
      view = { w: size().w, h: size().h, x: first - size().w / 2, y: 0 };
      if (width < size().w) view.x = (width - view.w) / 2;
      apply();
    };
    const place = (box) => {
      const [, x, y] = /translate\(([-\d.]+),([-\d.]+)\)/.exec(box.getAttribute('transform'));
      const rect = box.querySelector('rect');
      return { x: Number(x) + Number(rect.getAttribute('width')) / 2, y: Number(y) + Number(rect.getAttribute('height')) / 2 };
    };
    const zoom = (factor, cx = 0.5, cy = 0.5) => {
      begin();
      const least = 0.25 * size().w;
      const most = 4 * Math.max(width, (height * size().w) / size().h, size().w);
      const w = Math.min(most, Math.max(least, view.w * factor));
      const h = (w * size().h) / size().w;
      view = { x: view.x + (view.w - w) * cx, y: view.y + (view.h - h) * cy, w, h };
      apply();
    };
    const choose = (box, move) => {
      for (const other of boxes) other.classList.toggle('chosen', other === box);
      panel.replaceChildren(...details(ops[Number(box.dataset.op)]));
      panel.scrollTop = 0;
      if (!move) return;
      begin();
      const { x, y } = place(box);
      view.x = x - view.w / 2;
      view.y = y - view.h / 2;
      apply();
    };
    canvas.addEventListener('wheel', (event) => {
      event.preventDefault();
      const box = canvas.getBoundingClientRect();
      zoom(Math.exp(Math.max(-0.5, Math.min(0.5, event.deltaY * 0.0018))), (event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height);
    }, { passive: false });
    let from;
    canvas.addEventListener('pointerdown', (event) => {
      // a frame that was not in sight has not been laid out
      begin();
      if (event.button === 0) from = { x: event.clientX, y: event.clientY, left: view.x, top: view.y, moved: false };
    });
    canvas.addEventListener('pointermove', (event) => {
      if (from === undefined) return;
      const [dx, dy] = [event.clientX - from.x, event.clientY - from.y];
      if (!from.moved && Math.hypot(dx, dy) < 4) return;
      if (!from.moved) canvas.setPointerCapture(event.pointerId);
      from.moved = true;
      canvas.classList.add('moving');
      view.x = from.left - (dx * view.w) / size().w;
      view.y = from.top - (dy * view.h) / size().h;
      apply();
    });
    let dragged = false;
    const release = () => {
      dragged = from !== undefined && from.moved;
      from = undefined;
      canvas.classList.remove('moving');
    };
    canvas.addEventListener('pointerup', release);
    canvas.addEventListener('pointercancel', release);
    for (const box of boxes) {
      box.addEventListener('click', () => dragged || choose(box, false));
      box.addEventListener('keydown', (event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        choose(box, true);
      });
    }
    for (const button of all(root, 'button[data-zoom]')) {
      button.addEventListener('click', () => {
        if (button.dataset.zoom === 'fit') fit();
        else zoom(button.dataset.zoom === 'in' ? 0.75 : 1 / 0.75);
      });
    }
    const search = root.querySelector('input[type=search]');
    search.addEventListener('input', () => {
      const wanted = search.value.trim().toLowerCase();
      const fits = (box) => {
        const { id, kind } = ops[Number(box.dataset.op)];
        return (id + ' ' + kind).toLowerCase().includes(wanted);
      };
      let first;
      for (const box of boxes) {
        const found = wanted === '' || fits(box);
        box.classList.toggle('dim', !found);
        if (found && wanted !== '') first ??= box;
      }
      if (first !== undefined) choose(first, true);
    });
    addEventListener('resize', () => {
      if (view === undefined || size().w === 0) return;
      view.h = (view.w * size().h) / size().w;
      apply();
    });
    return { begin };
  };

  const graphs = all(document, '[data-network]').map(network);
  show(0);
})();
`;
