/** What a page is: a name, and how it shows an answer of the server. */
import type { Snapshot } from './client.js';
import type { History } from './history.js';

export interface View {
  readonly snapshot: Snapshot;
  readonly history: History;
  /** What rows have to hold to be shown. */
  readonly filter: string;
  /** Shows the page anew, with what is known. */
  readonly redraw: () => void;
  /** Asks the server again at once. */
  readonly refresh: () => void;
  /** Tells something at the head of the page until the next such. */
  readonly tell: (message: string) => void;
}

export interface Page {
  readonly name: string;
  readonly title: string;
  /** Whether rows can be filtered on it. */
  readonly hasRows: boolean;
  /** Whether it draws history, of which there may be more or less. */
  readonly hasCharts: boolean;
  show(view: View): readonly HTMLElement[];
}
