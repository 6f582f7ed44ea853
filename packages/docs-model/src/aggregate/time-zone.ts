/**
 * Time zones of date operators: names of the IANA database, by Intl, and offsets (`+02`, `-0530`, `+05:30`). A Date "in a zone" is one whose
 * UTC fields are the local ones; it never leaves the operators.
 *
 * Intl takes microseconds for an answer, so a zone keeps the offset of each day (UTC) on which it does not change. Before 1700
 * there is no standard time: the zone has the offset that it had then.
 */
import { badArgument } from '../errors.js';
import type { Evaluate } from './evaluate.js';
import { textOf } from './operands.js';

const DAY_MS = 86_400_000;
const MINUTE_MS = 60_000;
const DAYS_KEPT_MAX = 4096;
const ZONES_KEPT_MAX = 600;
const HISTORY_FROM_MS = Date.UTC(1700, 0, 1);

export class TimeZone {
  private readonly format: Intl.DateTimeFormat | undefined;
  private readonly fixedMs: number;
  private readonly offsets = new Map<number, number | undefined>();

  constructor(format: Intl.DateTimeFormat | undefined, fixedMs = 0) {
    this.format = format;
    this.fixedMs = fixedMs;
  }

  get isUtc(): boolean {
    return this.format === undefined && this.fixedMs === 0;
  }

  /** What is to be added to an instant for local time. */
  offsetMs(instantMs: number): number {
    if (this.format === undefined) return this.fixedMs;
    const at = Math.max(instantMs, HISTORY_FROM_MS);
    const day = Math.floor(at / DAY_MS);
    if (!this.offsets.has(day)) {
      if (this.offsets.size >= DAYS_KEPT_MAX) this.offsets.clear();
      const first = this.ask(this.format, day * DAY_MS);
      this.offsets.set(day, first === this.ask(this.format, (day + 1) * DAY_MS) ? first : undefined);
    }
    return this.offsets.get(day) ?? this.ask(this.format, at);
  }

  local(date: Date): Date {
    return new Date(date.getTime() + this.offsetMs(date.getTime()));
  }

  /**
   * The instant of a local time. Of two that clocks show when they go back it is the earlier one; one that they skip is read as
   * before the change, and so lies after it.
   */
  instant(localMs: number): Date {
    const before = this.offsetMs(localMs - DAY_MS);
    const after = this.offsetMs(localMs + DAY_MS);
    const isBefore = before === after || this.offsetMs(localMs - before) === before;
    if (isBefore || this.offsetMs(localMs - after) !== after) return new Date(localMs - before);
    return new Date(localMs - after);
  }

  private ask(format: Intl.DateTimeFormat, instantMs: number): number {
    const field = new Map(format.formatToParts(instantMs).map(({ type, value }) => [type, Number(value)]));
    const of = (type: Intl.DateTimeFormatPartTypes): number => field.get(type) as number;
    const local = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
    return local - Math.floor(instantMs / 1000) * 1000;
  }
}

export const UTC: TimeZone = new TimeZone(undefined);

const zones = new Map<string, TimeZone>();

/** A zone by name or offset; kept. 22023 when there is none. */
export function timeZoneOf(name: string): TimeZone {
  let zone = zones.get(name);
  if (zone === undefined) {
    if (zones.size >= ZONES_KEPT_MAX) zones.clear();
    zones.set(name, (zone = makeZone(name)));
  }
  return zone;
}

/** What an offset such as `+05:30` adds to an instant; undefined for what is none. */
export function fixedOffsetMs(text: string): number | undefined {
  const [, sign, hours, minutes] = /^([+-])(\d{2})(?::?(\d{2}))?$/.exec(text) ?? [];
  if (hours === undefined) return undefined;
  const size = (Number(hours) * 60 + Number(minutes ?? 0)) * MINUTE_MS;
  return sign === '-' ? -size : size;
}

function makeZone(name: string): TimeZone {
  const fixedMs = /^(?:utc|gmt|z)$/i.test(name) ? 0 : fixedOffsetMs(name);
  if (fixedMs !== undefined) return new TimeZone(undefined, fixedMs);
  const two = '2-digit';
  const fields = { year: 'numeric', month: two, day: two, hour: two, minute: two, second: two } as const;
  try {
    return new TimeZone(new Intl.DateTimeFormat('en-US', { ...fields, timeZone: name, hourCycle: 'h23' }));
  } catch {
    throw badArgument(`unknown time zone "${name}"`);
  }
}

/** The operator's argument `timezone`, evaluated: UTC where it is left out, null where it is null or missing. */
export function zoneArgument(
  operator: string,
  argument: Evaluate | undefined,
): (...of: Parameters<Evaluate>) => TimeZone | null {
  if (argument === undefined) return () => UTC;
  return (root, variables) => {
    const name = argument(root, variables);
    return name === null || name === undefined ? null : timeZoneOf(textOf(operator, name));
  };
}
