/** pg_timezone_names and pg_timezone_abbrevs: the zones that Intl knows, and the abbreviations that date-time text may hold. */
import { Interval } from '@phantom/codec';
import { zoneAbbreviations } from '../types/zone-names.js';
import { timeZone, zonesAt } from '../types/time-zones.js';
import { type CatalogRow, catalogView } from './catalog-view.js';
import type { SystemView, SystemViewSource } from './system-view.js';

const MICROS = 1_000_000;

function nowSeconds(source: SystemViewSource): number {
  return Math.floor(source.activity.nowMicros() / MICROS);
}

const offsetInterval = (seconds: number): Interval => new Interval(0, 0, seconds * MICROS);

function* nameRows(source: SystemViewSource): Iterable<CatalogRow> {
  for (const { name, offsetSeconds, daylight, abbreviation } of zonesAt(nowSeconds(source)))
    yield { name, abbrev: abbreviation, utc_offset: offsetInterval(offsetSeconds), is_dst: daylight };
}

/** One that stands for a zone means what that zone shows now. */
function* abbreviationRows(source: SystemViewSource): Iterable<CatalogRow> {
  const now = nowSeconds(source);
  for (const [name, { offsetSeconds, daylight, zone }] of zoneAbbreviations()) {
    const meant = zone === undefined ? undefined : timeZone(zone);
    yield {
      abbrev: name.toUpperCase(),
      utc_offset: offsetInterval(meant?.offsetAt(now) ?? offsetSeconds ?? 0),
      is_dst: meant?.isDaylight(now) ?? daylight,
    };
  }
}

export const TIME_ZONE_VIEWS: readonly SystemView[] = [
  catalogView('pg_timezone_names', nameRows),
  catalogView('pg_timezone_abbrevs', abbreviationRows),
];
