/** Page 6: where the limits are, and what is set. */
import { card, panel } from './chart.js';
import { h } from './dom.js';
import { bytes, count, duration } from './format.js';
import type { Page } from './page.js';
import { type Column, table } from './table.js';

const SETTINGS: readonly Column[] = [
  { name: 'name', title: 'Setting' },
  { name: 'setting', title: 'Value' },
  { name: 'unit', title: 'Unit' },
  { name: 'context', title: 'Set by' },
  { name: 'description', title: '', kind: 'text' },
];

/** A limit by the unit at the end of its name. */
function shown(name: string, value: number | string): string {
  if (typeof value === 'string') return value;
  if (/Bytes/.test(name)) return bytes(value);
  if (name.endsWith('Ms')) return value < 0 ? 'off' : value === 0 ? 'none' : duration(value);
  return count(value);
}

/** `httpBodyBytesMax` as `http body max`: the unit stands with the figure. */
function spaced(name: string): string {
  return name.replace(/Bytes|Ms$/, '').replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

export const limits: Page = {
  name: 'limits',
  title: 'Limits & settings',
  hasRows: true,
  hasCharts: false,
  show({ snapshot, filter, redraw: onChange }) {
    const cards = Object.entries(snapshot.server.limits).map(([name, value]) => card(spaced(name), shown(name, value)));
    return [
      h('div', { class: 'cards' }, ...cards),
      panel(
        'Settings of this session',
        h('p', {}, 'as pg_settings has them; SET, ALTER ROLE and ALTER DATABASE change them'),
        table(snapshot.results.settings, { id: 'settings', columns: SETTINGS, filter, onChange, empty: '' }),
      ),
    ];
  },
};
