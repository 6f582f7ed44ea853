/**
 * The last hour of all metrics, a sample a second, in memory: what a page that is opened now shows of the time before.
 *
 *   at      [ ... 16:04:01 16:04:02 16:04:03 ... ]      one ring of moments, and beside it one ring for each series:
 *   name    [ ...       17       17       19 ... ]      a counter or a gauge
 *   name/i  [ ...        3        3        4 ... ]      bucket i of a histogram: observations up to its bound and above the one before
 *
 * The rings take 8 bytes a sample and series, about 4 MB when they are full. A series that appears later is not a number before that; past
 * SERIES_MAX no more are taken. Nothing is written to disk: whoever wants to keep more than an hour has Prometheus read `/metrics`.
 */
import type { MetricSample } from '@phantom/base';

/** An hour. */
const SAMPLES_MAX = 3600;
const SAMPLE_INTERVAL_MS = 1000;
const SERIES_MAX = 512;

/** Samples of some series, oldest first. */
export interface HistoryPart {
  /** Milliseconds since 1970. */
  readonly at: readonly number[];
  /** By name, as long as `at`; null where there was no sample. */
  readonly series: Readonly<Record<string, readonly (number | null)[]>>;
}

export class MetricsHistory {
  private readonly read: () => readonly MetricSample[];
  private readonly at = new Float64Array(SAMPLES_MAX);
  private readonly series = new Map<string, Float64Array>();
  /** Samples taken so far. */
  private taken = 0;
  private timer: NodeJS.Timeout | undefined;

  constructor(read: () => readonly MetricSample[]) {
    this.read = read;
  }

  /** Begins to take samples; the process may end meanwhile. */
  start(): void {
    this.timer = setInterval(() => this.sample(Date.now()), SAMPLE_INTERVAL_MS);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Takes a sample at a moment in milliseconds since 1970. */
  sample(nowMs: number): void {
    const place = this.taken % SAMPLES_MAX;
    for (const ring of this.series.values()) ring[place] = Number.NaN;
    for (const sample of this.read()) {
      if (sample.kind !== 'histogram') {
        this.put(sample.name, place, sample.value);
        continue;
      }
      const { counts } = sample.histogram;
      for (let i = 0; i < counts.length; i++) this.put(`${sample.name}/${i}`, place, counts[i] as number);
    }
    this.at[place] = nowMs;
    this.taken++;
  }

  /**
   * Samples later than `sinceMs` of the series that begin with one of the names, each at the first moment in a step of `stepMs`, so that two
   * calls with the same step take the same samples.
   */
  part(names: ReadonlySet<string>, sinceMs: number, stepMs: number): HistoryPart {
    const places: number[] = [];
    let step = Math.floor(sinceMs / stepMs);
    for (let n = Math.max(0, this.taken - SAMPLES_MAX); n < this.taken; n++) {
      const place = n % SAMPLES_MAX;
      const stepHere = Math.floor((this.at[place] as number) / stepMs);
      if (stepHere <= step) continue;
      step = stepHere;
      places.push(place);
    }
    const series: Record<string, (number | null)[]> = {};
    for (const [name, ring] of this.series) {
      if (!names.has(name.split('/', 1)[0] as string)) continue;
      series[name] = places.map((place) => {
        const value = ring[place] as number;
        return Number.isNaN(value) ? null : value;
      });
    }
    return { at: places.map((place) => this.at[place] as number), series };
  }

  private put(name: string, place: number, value: number): void {
    let ring = this.series.get(name);
    if (ring === undefined) {
      if (this.series.size === SERIES_MAX) return;
      this.series.set(name, (ring = new Float64Array(SAMPLES_MAX).fill(Number.NaN)));
    }
    ring[place] = value;
  }
}
