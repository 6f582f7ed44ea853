/**
 * `phantomd repair`: makes a sound data directory of what can be read of a damaged one, which stays as it is, and says exactly what is
 * lost. Nothing is made where nothing is wrong.
 */
import { resolve } from 'node:path';
import { isPhantomError } from '@phantom/base';
import { type LostRows, type RepairReport, repair as repairDatabase } from '@phantom/db';
import { ExitCode } from './exit-codes.js';
import { CommandError } from './failure.js';

export interface RepairCommandOptions {
  readonly data: string;
  readonly to?: string;
  readonly dryRun: boolean;
  readonly logPastDamage: boolean;
  readonly json: boolean;
}

/** Of lost rows that indexes name a person is shown so many; `--json` has them all. */
const LOST_ROWS_SHOWN = 20;

/** Exit code 0 when nothing is lost, 3 when something is or may be, 4 when the directory cannot be opened. */
export async function repair({ data, to, dryRun, logPastDamage, json }: RepairCommandOptions): Promise<ExitCode> {
  const directory = resolve(data);
  const target = resolve(to ?? `${directory}-repaired`);
  const report = await attempt(() => repairDatabase(directory, { to: target, dryRun, logPastDamage }));
  process.stdout.write(json ? `${JSON.stringify(report)}\n` : reportText(report, dryRun));
  const isDone = report.isLossless && report.unfinished.length === 0 && report.remaining.length === 0;
  return isDone ? ExitCode.Done : ExitCode.Corruption;
}

async function attempt(run: () => Promise<RepairReport>): Promise<RepairReport> {
  try {
    return await run();
  } catch (error) {
    if (!isPhantomError(error)) throw error;
    const cannotOpen = ['58P01', '55006', '0A000'].includes(error.code);
    throw new CommandError(cannotOpen ? ExitCode.CannotOpen : ExitCode.Failed, error);
  }
}

function reportText(report: RepairReport, dryRun: boolean): string {
  if (report.isWhole) return 'nothing is wrong\n';
  const lines: string[] = [];
  for (const { file, offset, message, isMended } of report.findings) {
    lines.push(`${isMended ? 'mended' : 'damage'}: ${file}${offset === undefined ? '' : ` at ${offset}`}: ${message}`);
  }
  for (const lost of report.lost) lines.push(lostText(lost));
  for (const { schema, table, key } of report.lostRows.slice(0, LOST_ROWS_SHOWN)) {
    lines.push(`lost row: ${schema}.${table} ${key}`);
  }
  if (report.lostRows.length > LOST_ROWS_SHOWN) {
    lines.push(`and ${report.lostRows.length - LOST_ROWS_SHOWN} more lost rows (--json names them)`);
  }
  if (report.commitsPastDamage > 0) {
    lines.push(
      `${report.commitsPastDamage} whole commits lie behind the first damage of the log (--log-past-damage takes them)`,
    );
  }
  for (const { schema, index } of report.rebuilt) lines.push(`rebuilt: ${schema}.${index}`);
  for (const { schema, index, reason } of report.unfinished) {
    lines.push(`not rebuilt: ${schema}.${index}: ${reason} Put the rows right, then REINDEX.`);
  }
  for (const { severity, file, message } of report.remaining) lines.push(`still ${severity}: ${file}: ${message}`);
  if (report.lostAndFound > 0)
    lines.push(`${report.lostAndFound} entries without an owner are in table lost_and_found`);
  if (report.to !== undefined) lines.push(`the repaired database is in ${report.to}`);
  else if (dryRun) lines.push('nothing was written');
  lines.push(
    report.isLossless
      ? 'nothing is lost'
      : 'what is lost may be in a backup: open it ("restore" makes a directory of it), and copy these rows over',
  );
  return `${lines.join('\n')}\n`;
}

function lostText({ schema, table, index, from, to, rows, older }: LostRows): string {
  const name = index === undefined ? `${schema}.${table}` : `index ${schema}.${index} of ${table}`;
  const count = rows === undefined ? 'an unknown number of entries' : `at most ${rows} entries`;
  if (rows === 0)
    return `in doubt: ${name} from ${from} to ${to ?? 'the end'}: removals are lost, ${older} rows may have been removed`;
  const doubt = older === 0 ? '' : `; ${older} rows there may be older than they were`;
  return `lost: ${name} from ${from} to ${to ?? 'the end'}: ${count}${doubt}`;
}
