// The search and the colours of the site's pages; without it they read as well.
import MiniSearch from 'minisearch';

const root = document.documentElement.dataset.root || '.';
const field = document.querySelector('#search');
const found = document.querySelector('#found');
let index;

function load() {
  index ??= new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = `${root}/search-index.js`;
    script.addEventListener('error', reject);
    script.addEventListener('load', () => {
      const options = { fields: ['title', 'page', 'text'], storeFields: ['title', 'page'] };
      resolve(MiniSearch.loadJSON(globalThis.spikecSearch, options));
    });
    document.head.append(script);
  });
  return index;
}

function row({ id, title, page }) {
  const link = document.createElement('a');
  link.href = `${root}/${id}`;
  const where = document.createElement('small');
  where.textContent = page;
  link.append(title, ' ', where);
  return link;
}

async function search() {
  const asked = field.value.trim();
  if (asked === '') {
    found.hidden = true;
    return;
  }
  const options = { prefix: true, fuzzy: 0.15, boost: { title: 4, page: 2 }, combineWith: 'AND' };
  const results = (await load()).search(asked, options).slice(0, 12);
  if (asked !== field.value.trim()) return;
  const nothing = document.createElement('p');
  nothing.textContent = `Nothing about “${asked}”.`;
  found.replaceChildren(...(results.length === 0 ? [nothing] : results.map(row)));
  found.hidden = false;
}

field.addEventListener('focus', () => void load());
field.addEventListener('input', () => void search());
document.addEventListener('keydown', (event) => {
  const links = [...found.querySelectorAll('a')];
  const at = links.indexOf(document.activeElement);
  if (event.key === '/' && !event.target.closest('input, textarea')) {
    event.preventDefault();
    field.focus();
  } else if (event.key === 'Escape') {
    found.hidden = true;
  } else if (!found.hidden && (event.key === 'ArrowDown' || event.key === 'ArrowUp')) {
    event.preventDefault();
    const next = at + (event.key === 'ArrowDown' ? 1 : -1);
    (links[next] ?? field).focus();
  } else if (event.key === 'Enter' && event.target === field && !found.hidden) {
    links[0]?.click();
  }
});
document.addEventListener('click', ({ target }) => {
  if (!target.closest('.search') || target.closest('#found a')) found.hidden = true;
});

const schemes = { 'light dark': 'as the system has them', light: 'light', dark: 'dark' };
const button = document.querySelector('#scheme');

function colour(scheme) {
  document.documentElement.style.colorScheme = scheme;
  button.setAttribute('aria-label', `Colours: ${schemes[scheme]}`);
}

/** What was chosen before; pages on a disk may have no memory. */
function remembered() {
  try {
    return localStorage.getItem('spikec-colours');
  } catch {
    return null;
  }
}

let scheme = remembered() in schemes ? remembered() : 'light dark';
colour(scheme);
button.addEventListener('click', () => {
  const names = Object.keys(schemes);
  scheme = names[(names.indexOf(scheme) + 1) % names.length];
  colour(scheme);
  try {
    localStorage.setItem('spikec-colours', scheme);
  } catch {
    // chosen for this page alone
  }
});

const side = document.querySelector('.side');
if (matchMedia('(width < 60rem)').matches) side.open = false;
else side.querySelector('[aria-current]')?.scrollIntoView({ block: 'nearest' });
document.documentElement.dataset.ready = 'true';
