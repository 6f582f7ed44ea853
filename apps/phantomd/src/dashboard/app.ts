/**
 * The dashboard: signs in, asks the server every REFRESH_MS, and shows the page that the address names (`#queries`). Everything that is
 * shown comes from GET /v1/dashboard, run as the role that has signed in. When the server does not answer, what was known last stays, pale,
 * under a banner that says since when; it goes on by itself.
 *
 * Keys: 1 to 6 for the pages, / for the filter, Escape out of it.
 */
import { type Snapshot, SignedOut, keepToken, snapshot as ask, storedToken } from './client.js';
import { h } from './dom.js';
import { clock } from './format.js';
import { History } from './history.js';
import { integrity } from './integrity.js';
import { limits } from './limits.js';
import { overview } from './overview.js';
import type { Page } from './page.js';
import { queries } from './queries.js';
import { storage } from './storage.js';
import { transactions } from './transactions.js';

const REFRESH_MS = 1500;
const RETRY_MS = 1000;
const WINDOWS = [
  { seconds: 300, title: '5 min' },
  { seconds: 900, title: '15 min' },
  { seconds: 3600, title: '1 h' },
] as const;
const PAGES: readonly Page[] = [overview, queries, transactions, storage, integrity, limits];

const history = new History();
let windowSeconds: number = WINDOWS[0].seconds;
let filter = '';
let known: Snapshot | undefined;
let lostSinceMs: number | undefined;
let message = '';
let timer: ReturnType<typeof setTimeout> | undefined;
/** Grows with each question, so that an answer that comes late is known as such. */
let turn = 0;

const banner = h('div', { role: 'status', 'aria-live': 'polite' });
const nav = h('nav', { 'aria-label': 'Pages' });
const who = h('div', { class: 'who' });
const tools = h('div', { class: 'tools' });
const main = h('main', { tabindex: '-1' });
const input = h('input', {
  type: 'search',
  placeholder: 'Filter rows  ( / )',
  'aria-label': 'Filter rows',
  oninput: () => {
    filter = input.value;
    draw();
  },
});

function pageNow(): Page {
  return PAGES.find(({ name }) => `#${name}` === location.hash) ?? overview;
}

async function refresh(): Promise<void> {
  clearTimeout(timer);
  const asked = ++turn;
  const page = pageNow();
  try {
    const answer = await ask(page.name, windowSeconds, history.lastMs);
    if (asked !== turn) return;
    known = answer;
    history.add(answer.history, windowSeconds * 1000);
    lostSinceMs = undefined;
  } catch (error) {
    if (asked !== turn) return;
    if (error instanceof SignedOut) {
      signIn(error.message);
      return;
    }
    lostSinceMs ??= Date.now();
    message = error instanceof TypeError || (error as Error).name === 'TimeoutError' ? '' : (error as Error).message;
  }
  draw();
  timer = setTimeout(() => void refresh(), lostSinceMs === undefined ? REFRESH_MS : RETRY_MS);
}

/** Another page or another time: what was drawn of the history does not fit any more. */
function change(): void {
  history.clear();
  known = undefined;
  void refresh();
}

function draw(): void {
  const page = pageNow();
  const isLost = lostSinceMs !== undefined;
  document.body.classList.toggle('stale', isLost);
  banner.className = isLost ? 'banner' : message === '' ? '' : 'banner note';
  banner.textContent = isLost
    ? `No longer connected since ${clock(lostSinceMs ?? 0)}; trying again. ${message}`
    : message;
  nav.replaceChildren(
    ...PAGES.map(({ name, title }, i) =>
      h(
        'a',
        { href: `#${name}`, 'aria-current': page.name === name ? 'page' : undefined },
        h('kbd', {}, String(i + 1)),
        ` ${title}`,
      ),
    ),
  );
  if (known === undefined) {
    main.replaceChildren(h('p', { class: 'empty' }, isLost ? 'Nothing is known.' : 'Asking …'));
    return;
  }
  const { unready } = known.server;
  const [tone, word] = isLost
    ? ['bad', 'not connected']
    : unready === null
      ? ['good', 'healthy']
      : ['bad', 'refuses writes'];
  who.replaceChildren(
    h('span', { class: `state ${tone}` }, word),
    h('span', {}, `${known.role} in ${known.database}`),
    h('button', { 'data-key': 'out', onclick: () => (keepToken(undefined), signIn('')) }, 'Sign out'),
  );
  const windows = (page.hasCharts ? WINDOWS : []).map(({ seconds, title }) =>
    h(
      'button',
      {
        'data-key': `window/${seconds}`,
        'aria-pressed': String(windowSeconds === seconds),
        onclick: () => {
          windowSeconds = seconds;
          change();
        },
      },
      title,
    ),
  );
  input.hidden = !page.hasRows;
  const { activeElement } = document;
  const focused = activeElement instanceof HTMLElement ? activeElement.dataset.key : undefined;
  tools.replaceChildren(input, ...windows);
  main.replaceChildren(
    tools,
    ...page.show({
      snapshot: known,
      history,
      filter: page.hasRows ? filter : '',
      redraw: draw,
      refresh: () => void refresh(),
      tell: (text) => {
        message = text;
        draw();
      },
    }),
  );
  if (activeElement === input) input.focus();
  else if (focused !== undefined) main.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
}

function signIn(reason: string): void {
  clearTimeout(timer);
  turn++;
  const token = h('input', { type: 'password', 'aria-label': 'Token', autocomplete: 'off', required: true });
  const enter = (event: Event): void => {
    event.preventDefault();
    keepToken(token.value.trim());
    start();
  };
  document.body.className = '';
  document.body.replaceChildren(
    h(
      'section',
      { class: 'sign-in' },
      h('h2', {}, 'Phantom-DB'),
      h('p', {}, 'A token says as whom you look: the same that POST /v1/query takes.'),
      h(
        'form',
        { onsubmit: enter },
        h('label', {}, 'Token', token),
        h('button', { type: 'submit' }, 'Sign in'),
        reason === '' ? undefined : h('p', { class: 'bad', role: 'alert' }, reason),
      ),
      h(
        'p',
        { class: 'quiet' },
        'Make one by ',
        h('code', {}, 'phantomd token --role NAME'),
        ', and put its line into the file of ',
        h('code', {}, '--http-tokens'),
        '.',
      ),
    ),
  );
  token.focus();
}

function start(): void {
  message = '';
  history.clear();
  known = undefined;
  document.body.replaceChildren(h('header', {}, h('span', { class: 'brand' }, 'Phantom-DB'), nav, who), banner, main);
  draw();
  void refresh();
}

function pressed(event: KeyboardEvent): void {
  if (event.ctrlKey || event.metaKey || event.altKey || !main.isConnected) return;
  if (event.target === input) {
    if (event.key === 'Escape') {
      input.value = filter = '';
      main.focus();
      draw();
    }
    return;
  }
  const page = PAGES[Number(event.key) - 1];
  if (page !== undefined) location.hash = page.name;
  else if (event.key === '/' && !input.hidden) {
    event.preventDefault();
    input.focus();
  }
}

// A link that the daemon has printed brings its token behind #, which no browser sends to anybody.
const given = /^#token=([\w.~+/-]+=*)$/.exec(location.hash)?.[1];
if (given !== undefined) {
  keepToken(given);
  window.history.replaceState(null, '', location.pathname);
}
addEventListener('hashchange', () => {
  message = '';
  if (main.isConnected) change();
});
addEventListener('keydown', pressed);
if (storedToken() === undefined) signIn('');
else start();
