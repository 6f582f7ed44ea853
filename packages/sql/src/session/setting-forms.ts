/** From what stands behind SET to the text of a setting, and the form in which texts are kept where one value has many spellings. */
import { PhantomError, unsupportedError } from '@phantom/base';
import { isAbsentEncoding, textEncoding } from '../functions/encodings.js';
import { intervalTypmod } from '../expr/type-names.js';
import type { SettingItem } from '../text/ast-session.js';
import { formatInterval } from '../types/date-time-format.js';
import { parseInterval } from '../types/date-time-types.js';
import { configurations } from '../search/configurations.js';
import { findTimeZone, offsetText } from '../types/time-zones.js';

/** Seconds east or west that the TimeZone setting takes at most. */
const ZONE_OFFSET_MAX = 167 * 3600;

/**
 * What the TimeZone setting keeps of a value: hours east of Greenwich (`-8`, `10.5`, `INTERVAL '+05:30'`) become a POSIX zone, names
 * take their IANA spelling. Undefined when there is no such zone; 22023 for an interval of days or months.
 */
export function canonicalZone(value: string): string | undefined {
  const text = value.trim();
  if (/^[+-]?(\d+(\.\d*)?|\.\d+)$/.test(text)) return fixedZone(Number(text) * 3600);
  const interval = /^interval\s*'(.*)'$/is.exec(text)?.[1];
  if (interval === undefined) return findTimeZone(text)?.name;
  const { months, days, micros } = parseInterval(interval, -1, 'postgres');
  if (months !== 0 || days !== 0)
    throw new PhantomError('22023', `invalid value for parameter "TimeZone": "${value}"`, {
      detail: `Cannot specify ${months === 0 ? 'days' : 'months'} in time zone interval.`,
    });
  return fixedZone(Number(micros) / 1_000_000);
}

/** The zone so many seconds east of Greenwich, as POSIX writes it, who counts westward; undefined past a week. */
function fixedZone(secondsEast: number): string | undefined {
  const seconds = Math.trunc(secondsEast);
  if (Math.abs(seconds) > ZONE_OFFSET_MAX) return undefined;
  const west = seconds < 0 ? '+' : '-';
  return `<${offsetText(seconds)}>${west}${offsetText(seconds).slice(1)}`;
}

/**
 * The name of an encoding as PostgreSQL tells of it, whatever its case and whatever stands between its letters and digits (one client
 * sends `'utf-8'`, quotes and all): clients compare what they are told with `UTF8`. Undefined when there is none of the name; 0A000 for
 * one of several bytes a character.
 */
export function canonicalEncoding(value: string): string | undefined {
  switch (value.replace(/[^A-Za-z0-9]/g, '').toLowerCase()) {
    case 'utf8':
    case 'unicode':
      return 'UTF8';
    case 'sqlascii':
      return 'SQL_ASCII';
    default:
      if (isAbsentEncoding(value)) throw unsupportedError(`the client encoding "${value}"`);
      return textEncoding(value)?.name;
  }
}

/** What stands behind SET as the setting's text: list settings keep their commas, and names that need quotes get them. */
export function settingText(name: string, items: readonly SettingItem[]): string {
  const [first] = items;
  if (first?.kind === 'interval') return intervalText(first);
  if (items.length === 1 && first !== undefined && name !== 'search_path') return first.text;
  const parts = items.map((item) => (name === 'search_path' ? quoteName(item.text) : item.text));
  return parts.join(', ');
}

/** INTERVAL '+05:30' HOUR TO MINUTE as one text, in which its fields are counted in. */
function intervalText({ text, fields = [] }: SettingItem): string {
  return `INTERVAL '${formatInterval(parseInterval(text, intervalTypmod(fields, undefined), 'postgres'), 'postgres')}'`;
}

function quoteName(text: string): string {
  return /^[a-z_$][a-z0-9_$]*$/.test(text) ? text : `"${text.replaceAll('"', '""')}"`;
}

/** The name of a text search configuration with its schema; undefined when there is none of that name. */
export function canonicalSearchConfiguration(value: string): string | undefined {
  const name = /^\s*(?:pg_catalog\s*\.\s*)?("?)(\w+)\1\s*$/i.exec(value);
  const found = configurations.find((one) => one.name === (name?.[1] === '"' ? name[2] : name?.[2]?.toLowerCase()));
  return found === undefined ? undefined : `pg_catalog.${found.name}`;
}
