/** Page 5: whether what is on the disk is what was written. */
import { card, lineChart, panel } from './chart.js';
import { type DamagedPlace, type Finding, check } from './client.js';
import { h } from './dom.js';
import { bytes, count, duration } from './format.js';
import type { Page, View } from './page.js';

let isChecking = false;
let found: readonly Finding[] = [];

async function run(view: View): Promise<void> {
  isChecking = true;
  view.redraw();
  try {
    const { count: findings, findings: list } = await check();
    found = list;
    view.tell(findings === 0 ? 'Everything was read, and all is well.' : `${findings} findings.`);
  } catch (error) {
    view.tell(`Not checked: ${(error as Error).message}`);
  }
  isChecking = false;
  view.refresh();
}

type Scrub = NonNullable<View['snapshot']['server']['integrity']['scrub']>;

/** When the scrubber has last read everything, or how far it is. */
function scrubCard(scrub: Scrub | undefined, ago: (ms: number) => string): HTMLElement {
  const { last, present, bytesExpected = 0 } = scrub ?? {};
  const progress =
    present === undefined ? '' : `; reading again, ${bytes(present.bytes)} of about ${bytes(bytesExpected)}`;
  if (last?.endedMs === undefined) {
    const title = present === undefined ? 'None' : 'Under way';
    return card('Last full reading', title, progress === '' ? 'by the scrubber' : progress.slice(2), 'warn');
  }
  const found = Math.max(last.found, present?.found ?? 0);
  const title = found === 0 ? 'All well' : `${count(found)} findings`;
  return card(
    'Last full reading',
    title,
    `${ago(last.endedMs)}, ${bytes(last.bytes)}${progress}`,
    found === 0 ? 'good' : 'bad',
  );
}

type Archive = NonNullable<View['snapshot']['server']['integrity']['archive']>;

/** Whether commits get to the archive, and from where on it can be restored. */
function archiveCard({ directory, seq, baseSeq, failure }: Archive, metrics: View['snapshot']['metrics']): HTMLElement {
  if (failure !== undefined) return card('Archive', 'Not written', `${failure}; the log is held meanwhile`, 'bad');
  if (baseSeq === undefined) return card('Archive', 'No base yet', `nothing can be restored from ${directory}`, 'warn');
  const waiting = metrics.phantom_archive_lag_commits ?? 0;
  const gaps = metrics.phantom_archive_gaps_total ?? 0;
  return card(
    'Archive',
    waiting === 0 ? 'Has every commit' : `${count(waiting)} commits wait`,
    `up to ${count(seq)}, last base ${count(baseSeq)}${gaps === 0 ? '' : `, ${count(gaps)} gaps`}; in ${directory}`,
    gaps === 0 ? 'good' : 'warn',
  );
}

function damagePanel(damage: readonly DamagedPlace[]): HTMLElement {
  const rows = damage.map(({ file, offset, message, objects }) =>
    h(
      'tr',
      {},
      h('td', {}, objects.map(({ schema, table, index }) => `${schema}.${index ?? table}`).join(', ')),
      h('td', {}, offset === undefined ? file : `${file} at ${offset}`),
      h('td', { class: 'wide' }, message),
    ),
  );
  const advice = 'An index is made anew by REINDEX INDEX; rows are brought back by a backup or by phantomd repair.';
  return panel('Damage', h('p', {}, advice), h('table', {}, h('tbody', {}, ...rows)));
}

export const integrity: Page = {
  name: 'integrity',
  title: 'Integrity',
  hasRows: false,
  hasCharts: true,
  show(view) {
    const { snapshot, history } = view;
    const { metrics, server, at } = snapshot;
    const { lastCheck, lastBackup, archive, scrub, damage = [] } = server.integrity;
    const ago = (ms: number): string => `${duration(at - ms)} ago`;
    const cards = h(
      'div',
      { class: 'cards' },
      card(
        'Store',
        server.unready === null ? 'Takes writes' : 'Refuses writes',
        server.unready ?? 'no write or sync has failed',
        server.unready === null ? 'good' : 'bad',
      ),
      lastCheck === undefined
        ? card('Last check', 'None', 'since the start of this process', 'warn')
        : card(
            'Last check',
            lastCheck.findings === 0 ? 'All well' : `${count(lastCheck.findings)} findings`,
            `${ago(lastCheck.atMs)}, took ${duration(lastCheck.elapsedMs)}`,
            lastCheck.findings === 0 ? 'good' : 'bad',
          ),
      scrubCard(scrub, ago),
      lastBackup === undefined
        ? card('Last backup', 'None', 'since the start of this process', 'warn')
        : card(
            'Last backup',
            ago(lastBackup.atMs),
            `${bytes(lastBackup.bytes)}, up to commit ${count(lastBackup.seq)}, read back; in ${lastBackup.directory}`,
            'good',
          ),
      ...(archive === undefined ? [] : [archiveCard(archive, metrics)]),
      card('Checkpoints', count(metrics.phantom_store_checkpoints_total), 'since the start'),
      card('To be replayed after a crash', bytes(metrics.phantom_store_log_bytes), 'log since the last checkpoint'),
    );
    const button = h(
      'button',
      { disabled: isChecking, 'data-key': 'check', onclick: () => void run(view) },
      isChecking ? 'Checking …' : 'Check everything now',
    );
    const list = found.map(({ severity, file, message }) =>
      h(
        'tr',
        {},
        h('td', { class: severity === 'corruption' ? 'bad' : undefined }, severity),
        h('td', {}, file),
        h('td', { class: 'wide' }, message),
      ),
    );
    return [
      cards,
      ...(damage.length === 0 ? [] : [damagePanel(damage)]),
      panel(
        'Check',
        h('p', {}, 'reads every file with its checksums, and every document; for superusers, while others go on'),
        button,
        list.length === 0 ? undefined : h('table', {}, h('tbody', {}, ...list)),
      ),
      h(
        'div',
        { class: 'charts' },
        lineChart(
          'Log since the last checkpoint',
          [{ label: 'log', points: history.values('phantom_store_log_bytes') }],
          bytes,
          { isSize: true },
        ),
      ),
    ];
  },
};
