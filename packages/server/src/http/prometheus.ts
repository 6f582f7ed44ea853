/** Metrics in Prometheus' text format, version 0.0.4. */
import type { MetricSample } from '@phantom/base';

export const PROMETHEUS_CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8';

export function prometheusText(samples: readonly MetricSample[]): string {
  let text = '';
  for (const sample of samples) {
    const { name } = sample;
    text += `# HELP ${name} ${escapeHelp(sample.help)}\n# TYPE ${name} ${sample.kind}\n`;
    if (sample.kind !== 'histogram') {
      text += `${name} ${number(sample.value)}\n`;
      continue;
    }
    const { bounds, counts, sum, count } = sample.histogram;
    let upTo = 0;
    for (let i = 0; i < bounds.length; i++) {
      upTo += counts[i] as number;
      text += `${name}_bucket{le="${number(bounds[i] as number)}"} ${upTo}\n`;
    }
    text += `${name}_bucket{le="+Inf"} ${count}\n${name}_sum ${number(sum)}\n${name}_count ${count}\n`;
  }
  return text;
}

function number(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}

function escapeHelp(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
}
