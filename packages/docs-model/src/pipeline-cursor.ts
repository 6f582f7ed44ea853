/** The cursor of `aggregate`: documents that come out of a pipeline, and how its collection was asked for those that go in. */
import { frontQuery } from './aggregate/pipeline.js';
import { type Batches, DocumentCursor } from './cursor.js';
import { explainQuery } from './find-cursor.js';
import type { DocumentModel } from './model.js';
import type { Explanation } from './reader.js';
import type { TransactionHost } from './transaction.js';

/** How the front of a pipeline was answered. */
export interface PipelineExplanation extends Explanation {
  /** The stages that documents went through behind it. */
  readonly stagesBehind: readonly string[];
}

export class PipelineCursor<T> extends DocumentCursor<T> {
  private readonly model: DocumentModel;
  private readonly collectionName: string;
  private readonly pipeline: readonly unknown[];
  private readonly tx: TransactionHost | undefined;

  constructor(
    model: DocumentModel,
    collectionName: string,
    pipeline: readonly unknown[],
    tx: TransactionHost | undefined,
    open: () => Batches<T> | Promise<Batches<T>>,
  ) {
    super(open);
    this.model = model;
    this.collectionName = collectionName;
    this.pipeline = pipeline;
    this.tx = tx;
  }

  /**
   * Runs what the pipeline asks of its collection first ($match, $sort, $skip and $limit at its front) and tells how that was
   * answered: the index, keys and documents looked at. The stages behind it are not run, so nothing is written.
   */
  async explain(): Promise<PipelineExplanation> {
    const { query, behind } = frontQuery(this.pipeline);
    const explanation = await explainQuery(this.model, this.collectionName, query, this.tx);
    return { ...explanation, stagesBehind: behind };
  }
}
