/**
 * Time zones by IANA name, through Intl, which carries the whole history of each. Intl answers "what is local time at this
 * instant" in microseconds of work, so each zone keeps the transitions it has found, by spans of about a year: a span is
 * probed every twelve days, and a change of offset is narrowed to its second.
 *
 * Offsets are seconds EAST of Greenwich here. Besides IANA names there are fixed offsets (`+05:30`, `-8`) and POSIX forms
 * (`UTC+5`, where plus is west).
 */
import { PhantomError } from '@phantom/base';
import { daysFromDate } from './calendar.js';
import { UNCHANGING_ZONES, type ZoneHistory, zoneHistory } from './zone-history.js';
import { shownAbbreviations, shownZones, zoneAbbreviation } from './zone-names.js';

const SPAN_SECONDS = 2 ** 25;
const PROBES = 32;
const SPANS_KEPT_MAX = 1024;
/** Rules repeat with the calendar; later years are looked up 400 years earlier, once or more. */
const CYCLE_SECONDS = 146097 * 86400;
const CYCLE_FROM = secondsOf(2400);
/** Before any zone had a standard time. */
const HISTORY_FROM = secondsOf(1700);
const ZONES_KEPT_MAX = 600;
const UNIX_2000 = 946684800;
const SECONDS_PER_MONTH = 2629746;

function secondsOf(year: number): number {
  return daysFromDate(year, 1, 1) * 86400;
}

interface Span {
  /** Instants (seconds since 2000) at which the offset changes, ascending. */
  readonly starts: readonly number[];
  /** Offset before each change, and after the last: one more than `starts`. */
  readonly offsets: readonly number[];
}

/** A change of offset near a moment. */
export interface Transition {
  readonly at: number;
  readonly before: number;
  readonly after: number;
}

export class TimeZone {
  readonly name: string;
  private readonly format: Intl.DateTimeFormat | undefined;
  private readonly fixedSeconds: number;
  private readonly history: ZoneHistory | undefined;
  private readonly abbreviationFixed: string | undefined;
  private readonly spans = new Map<number, Span>();

  constructor(name: string, format: Intl.DateTimeFormat | undefined, fixedSeconds = 0, abbreviation?: string) {
    this.name = name;
    this.format = format;
    this.fixedSeconds = fixedSeconds;
    this.history = format === undefined ? undefined : zoneHistory(name);
    this.abbreviationFixed = abbreviation;
  }

  /** Offset at an instant, in seconds since 2000 UTC. */
  offsetAt(utcSeconds: number): number {
    if (this.format === undefined) return this.fixedSeconds;
    const at = this.fold(utcSeconds);
    const span = this.spanOf(Math.floor(at / SPAN_SECONDS));
    let i = 0;
    while (i < span.starts.length && at >= (span.starts[i] as number)) i++;
    return span.offsets[i] as number;
  }

  /**
   * Offset for a local time. A time that daylight saving skips is read by the offset before the change, one that occurs
   * twice by the offset after it, as PostgreSQL does.
   */
  offsetOfLocal(localSeconds: number): number {
    const change = this.transitionNear(localSeconds);
    if (change === undefined) return this.offsetAt(localSeconds - this.offsetAt(localSeconds));
    const before = localSeconds - change.before;
    const after = localSeconds - change.after;
    if (before < change.at && after < change.at) return change.before;
    if (before >= change.at && after >= change.at) return change.after;
    return before > after ? change.before : change.after;
  }

  /** How the zone is shown at an instant: an abbreviation, or the offset where it has none. */
  abbreviationAt(utcSeconds: number): string {
    if (this.abbreviationFixed !== undefined) return this.abbreviationFixed;
    const offset = this.offsetAt(utcSeconds);
    const names = shownAbbreviations(this.name);
    if (names === undefined) return offsetText(offset);
    if (this.history === undefined && (utcSeconds < HISTORY_FROM || offset % 60 !== 0)) return 'LMT';
    return this.isDaylight(utcSeconds, offset) ? names[1] : names[0];
  }

  /** True when the offset at the instant is above the least one within half a year. */
  isDaylight(utcSeconds: number, offset: number = this.offsetAt(utcSeconds)): boolean {
    if (this.history !== undefined && utcSeconds < this.history.until) return offset !== this.history.standardSeconds;
    for (let month = 1; month <= 6; month++) {
      if (this.offsetAt(utcSeconds - month * SECONDS_PER_MONTH) < offset) return true;
      if (this.offsetAt(utcSeconds + month * SECONDS_PER_MONTH) < offset) return true;
    }
    return false;
  }

  private fold(seconds: number): number {
    if (seconds < HISTORY_FROM) return HISTORY_FROM;
    if (seconds < CYCLE_FROM) return seconds;
    return CYCLE_FROM - CYCLE_SECONDS + ((seconds - CYCLE_FROM) % CYCLE_SECONDS);
  }

  private transitionNear(localSeconds: number): Transition | undefined {
    if (this.format === undefined || localSeconds < HISTORY_FROM) return undefined;
    const folded = this.fold(localSeconds);
    const shift = localSeconds - folded;
    const from = folded - 86400;
    for (let index = Math.floor(from / SPAN_SECONDS); index * SPAN_SECONDS <= folded + 2 * 86400; index++) {
      const span = this.spanOf(index);
      for (let i = 0; i < span.starts.length; i++) {
        const at = span.starts[i] as number;
        if (at > from) {
          if (at > folded + 2 * 86400) return undefined;
          return { at: at + shift, before: span.offsets[i] as number, after: span.offsets[i + 1] as number };
        }
      }
    }
    return undefined;
  }

  private spanOf(index: number): Span {
    let span = this.spans.get(index);
    if (span === undefined) {
      if (this.spans.size >= SPANS_KEPT_MAX) this.spans.clear();
      this.spans.set(index, (span = this.probe(index)));
    }
    return span;
  }

  private probe(index: number): Span {
    const starts: number[] = [];
    const step = SPAN_SECONDS / PROBES;
    const start = index * SPAN_SECONDS;
    const offsets = [this.ask(start)];
    for (let i = 0; i < PROBES; i++) {
      let low = start + i * step;
      let high = low + step;
      const before = offsets[offsets.length - 1] as number;
      const after = this.ask(high);
      if (after === before) continue;
      while (high - low > 1) {
        const middle = Math.floor((low + high) / 2);
        if (this.ask(middle) === before) low = middle;
        else high = middle;
      }
      starts.push(high);
      offsets.push(after);
    }
    return { starts, offsets };
  }

  /** As offsetAt, for one question: nothing is learned for others. */
  offsetNow(utcSeconds: number): number {
    return this.format === undefined ? this.fixedSeconds : this.ask(utcSeconds);
  }

  /** Offset by Intl: local time as a calendar reads it, less the instant. */
  private ask(utcSeconds: number): number {
    if (this.history !== undefined && utcSeconds < this.history.until) return this.history.offsetAt(utcSeconds);
    const text = (this.format as Intl.DateTimeFormat).format((utcSeconds + UNIX_2000) * 1000);
    const match = /^(\d+)\/(\d+)\/(\d+), (\d+):(\d+):(\d+)$/.exec(text);
    if (match === null) return 0;
    const days = daysFromDate(Number(match[3]), Number(match[1]), Number(match[2]));
    return days * 86400 + (Number(match[4]) % 24) * 3600 + Number(match[5]) * 60 + Number(match[6]) - utcSeconds;
  }
}

/** `+05:30`, minutes and seconds only where they are not zero. */
export function offsetText(offsetSeconds: number): string {
  const size = Math.abs(offsetSeconds);
  const two = (value: number): string => String(value).padStart(2, '0');
  let text = `${offsetSeconds < 0 ? '-' : '+'}${two(Math.floor(size / 3600))}`;
  if (size % 3600 !== 0) text += `:${two(Math.floor(size / 60) % 60)}`;
  if (size % 60 !== 0) text += `:${two(size % 60)}`;
  return text;
}

const zones = new Map<string, TimeZone | undefined>();

/** POSIX: a name, then the offset WEST of Greenwich; daylight saving rules are not taken. */
const POSIX = /^(?:([A-Za-z]{3,})|<([A-Za-z0-9+:-]+)>)([+-]?\d{1,3})(?::(\d{2}))?(?::(\d{2}))?$/;
const PLAIN = /^([+-]?)(\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?$/;

/** Names that differ from their IANA spelling only in case are folded by Intl; some it does not know. */
function makeZone(name: string): TimeZone | undefined {
  if (/^(utc|gmt|z|zulu|uct|greenwich|universal|etc\/utc|etc\/gmt|gmt[+-]?0)$/i.test(name)) {
    return new TimeZone(name, undefined, 0, /gmt|greenwich/i.test(name) ? 'GMT' : 'UTC');
  }
  const unchanging = UNCHANGING_ZONES[name.toUpperCase()];
  if (unchanging !== undefined) return new TimeZone(name.toUpperCase(), undefined, unchanging, name.toUpperCase());
  const plain = PLAIN.exec(name);
  if (plain !== null) {
    const seconds = Number(plain[2]) * 3600 + Number(plain[3] ?? 0) * 60 + Number(plain[4] ?? 0);
    // In a zone's name plus is west, as POSIX has it.
    const east = plain[1] === '-' ? seconds : -seconds;
    return new TimeZone(name, undefined, east, offsetText(east));
  }
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    const probe = format.resolvedOptions().timeZone;
    return new TimeZone(probe.toLowerCase() === name.toLowerCase() ? probe : canonicalCase(name), format);
  } catch {
    const posix = POSIX.exec(name);
    if (posix !== null) {
      const hours = Number(posix[3]);
      const rest = Number(posix[4] ?? 0) * 60 + Number(posix[5] ?? 0);
      const west = Math.abs(hours) * 3600 + rest;
      const east = (posix[3] as string).startsWith('-') ? west : -west;
      return new TimeZone(name, undefined, east === 0 ? 0 : east, posix[1] ?? posix[2]);
    }
    return undefined;
  }
}

/** `europe/paris` as IANA writes it: Intl takes any case but keeps the old name's target. */
function canonicalCase(name: string): string {
  return name.replace(/[A-Za-z]+/g, (word) =>
    word.length <= 3 &&
    /^(UTC|GMT|EST|MST|HST|CET|MET|EET|WET|PRC|ROC|ROK|UCT|NZ|GB|US|EDT|CST|CDT|MDT|PST|PDT)$/i.test(word)
      ? word.toUpperCase()
      : word[0]?.toUpperCase() + word.slice(1),
  );
}

/** What a zone shows at a moment. */
export interface ZoneState {
  readonly name: string;
  readonly offsetSeconds: number;
  readonly daylight: boolean;
  readonly abbreviation: string;
}

/**
 * What every zone with a name shows at a moment, in seconds since 2000 UTC. Each is asked three times and forgotten: the whole history
 * of six hundred zones would take a quarter of a second, and its formats some ten megabytes.
 */
export function* zonesAt(utcSeconds: number): Iterable<ZoneState> {
  const names = new Set([...Intl.supportedValuesOf('timeZone'), ...shownZones()]);
  const yearStart = daysFromDate(new Date((utcSeconds + UNIX_2000) * 1000).getUTCFullYear(), 1, 1) * 86400;
  for (const name of [...names].sort()) {
    const zone = makeZone(name);
    if (zone === undefined) continue;
    const offsetSeconds = zone.offsetNow(utcSeconds);
    const winter = zone.offsetNow(yearStart);
    const summer = zone.offsetNow(yearStart + HALF_YEAR_SECONDS);
    const daylight = offsetSeconds > Math.min(winter, summer);
    const [standard, saving] = shownAbbreviations(name) ?? [offsetText(offsetSeconds), offsetText(offsetSeconds)];
    yield { name, offsetSeconds, daylight, abbreviation: daylight ? saving : standard };
  }
}

const HALF_YEAR_SECONDS = 182 * 86400;

/** A zone by name, undefined when there is none of it. Kept by name. */
export function findTimeZone(name: string): TimeZone | undefined {
  if (zones.has(name)) return zones.get(name);
  if (zones.size >= ZONES_KEPT_MAX) zones.clear();
  const zone = makeZone(name);
  zones.set(name, zone);
  return zone;
}

/** A zone for AT TIME ZONE and the TimeZone setting: a name, or an abbreviation. 22023 when there is none. */
export function timeZone(name: string): TimeZone {
  const abbreviation = zoneAbbreviation(name.toLowerCase());
  if (abbreviation?.offsetSeconds !== undefined) {
    return new TimeZone(name, undefined, abbreviation.offsetSeconds, name.toUpperCase());
  }
  const zone = findTimeZone(abbreviation?.zone ?? name);
  if (zone === undefined) throw new PhantomError('22023', `time zone "${name}" not recognized`);
  return zone;
}

/** The session's zone; an unknown name (which the setting would have refused) counts as UTC. */
export function sessionZone(name: string): TimeZone {
  return findTimeZone(name) ?? UTC;
}

/** Greenwich. */
export const UTC: TimeZone = new TimeZone('UTC', undefined, 0, 'UTC');
