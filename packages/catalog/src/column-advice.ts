/** What ALTER COLUMN has said of a column to ANALYZE, and to PostgreSQL's storage. */
export interface ColumnAdvice {
  /** Common values, and buckets of the histogram, that ANALYZE keeps; 0: nothing; absent: as many as `default_statistics_target` says. */
  readonly statisticsTarget?: number;
  /** SET (n_distinct = ...), as written: what ANALYZE takes for the count of distinct values. */
  readonly options?: Readonly<Record<string, string>>;
  /** PostgreSQL's letter of SET STORAGE and of SET COMPRESSION: kept and shown, of no effect on how a value is stored here. */
  readonly storage?: 'p' | 'e' | 'm' | 'x';
  readonly compression?: 'p' | 'l';
}
