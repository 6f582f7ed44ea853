/**
 * The metrics port: packages count, the composition decides where the numbers go (Prometheus, a table, nowhere). Names
 * follow Prometheus' conventions: base units, `_total` for counters. A counter costs one addition to a field, so hot
 * paths may hold one; nothing is formatted until somebody reads.
 */
export interface Counter {
  value: number;
}

export interface Gauge {
  read(): number;
}

/** Upper bounds in the unit of the observed value; a last bucket without bound is implied. */
export interface Histogram {
  observe(value: number): void;
  readonly bounds: readonly number[];
  readonly counts: readonly number[];
  readonly sum: number;
  readonly count: number;
}

export interface Metrics {
  counter(name: string, help: string): Counter;
  /** A name in `_total` says that what is read never falls: it is a counter whose count is kept elsewhere. */
  gauge(name: string, help: string, read: () => number): Gauge;
  histogram(name: string, help: string, bounds: readonly number[]): Histogram;
}

/** One metric as it stands, for an exporter. */
export type MetricSample =
  | { readonly kind: 'counter'; readonly name: string; readonly help: string; readonly value: number }
  | { readonly kind: 'gauge'; readonly name: string; readonly help: string; readonly value: number }
  | { readonly kind: 'histogram'; readonly name: string; readonly help: string; readonly histogram: Histogram };

class CountingHistogram implements Histogram {
  readonly bounds: readonly number[];
  readonly counts: number[];
  sum = 0;
  count = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    let i = 0;
    while (i < this.bounds.length && value > (this.bounds[i] as number)) i++;
    this.counts[i] = (this.counts[i] as number) + 1;
    this.sum += value;
    this.count++;
  }
}

/** Keeps metrics in memory. Asking twice for a name gives the same counter or histogram; a gauge is replaced. */
export class MetricsRegistry implements Metrics {
  private readonly counters = new Map<string, { help: string; counter: Counter }>();
  private readonly gauges = new Map<string, { help: string; gauge: Gauge }>();
  private readonly histograms = new Map<string, { help: string; histogram: CountingHistogram }>();

  counter(name: string, help: string): Counter {
    let entry = this.counters.get(name);
    if (entry === undefined) this.counters.set(name, (entry = { help, counter: { value: 0 } }));
    return entry.counter;
  }

  gauge(name: string, help: string, read: () => number): Gauge {
    const gauge = { read };
    this.gauges.set(name, { help, gauge });
    return gauge;
  }

  histogram(name: string, help: string, bounds: readonly number[]): Histogram {
    let entry = this.histograms.get(name);
    if (entry === undefined) this.histograms.set(name, (entry = { help, histogram: new CountingHistogram(bounds) }));
    return entry.histogram;
  }

  /** Every metric as it stands now, by name. */
  samples(): MetricSample[] {
    const samples: MetricSample[] = [];
    for (const [name, { help, counter }] of this.counters)
      samples.push({ kind: 'counter', name, help, value: counter.value });
    for (const [name, { help, gauge }] of this.gauges)
      samples.push({ kind: name.endsWith('_total') ? 'counter' : 'gauge', name, help, value: gauge.read() });
    for (const [name, { help, histogram }] of this.histograms)
      samples.push({ kind: 'histogram', name, help, histogram });
    return samples.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  }
}
