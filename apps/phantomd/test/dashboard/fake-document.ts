/**
 * As much of a document as the dashboard uses, for tests without a browser: elements with attributes, children, texts and listeners. What is
 * drawn can be read as text, and pressed.
 */
type Listener = (event: object) => void;

export class FakeElement {
  readonly tagName: string;
  readonly attributes = new Map<string, string>();
  readonly listeners = new Map<string, Listener>();
  readonly style: Record<string, string> = {};
  children: FakeElement[] = [];
  parentElement: FakeElement | null = null;
  value = '';
  hidden = false;
  private ownText = '';
  private readonly page: FakeDocument;

  constructor(page: FakeDocument, tagName: string) {
    this.page = page;
    this.tagName = tagName;
  }

  get dataset(): { readonly key: string | undefined } {
    return { key: this.attributes.get('data-key') };
  }

  get className(): string {
    return this.attributes.get('class') ?? '';
  }

  set className(name: string) {
    this.attributes.set('class', name);
  }

  get classList(): { toggle(name: string, on: boolean): void } {
    return {
      toggle: (name, on) => {
        const others = this.className.split(' ').filter((word) => word !== name && word !== '');
        this.className = [...others, ...(on ? [name] : [])].join(' ');
      },
    };
  }

  get textContent(): string {
    return this.ownText + this.children.map(({ textContent }) => textContent).join('');
  }

  set textContent(text: string) {
    this.children = [];
    this.ownText = text;
  }

  get isConnected(): boolean {
    return this === this.page.body || this.parentElement?.isConnected === true;
  }

  setAttribute(name: string, value: string): void {
    this.attributes.set(name, value);
  }

  addEventListener(name: string, listener: Listener): void {
    this.listeners.set(name, listener);
  }

  append(...parts: readonly (FakeElement | string)[]): void {
    for (const part of parts) {
      const child = typeof part === 'string' ? new FakeElement(this.page, '#text') : part;
      if (typeof part === 'string') child.ownText = part;
      child.remove();
      child.parentElement = this;
      this.children.push(child);
    }
  }

  prepend(part: FakeElement): void {
    const before = this.children;
    this.children = [];
    this.append(part, ...before);
  }

  replaceChildren(...parts: readonly (FakeElement | string)[]): void {
    for (const child of this.children) child.parentElement = null;
    this.children = [];
    this.append(...parts);
  }

  remove(): void {
    const { parentElement } = this;
    if (parentElement !== null) parentElement.children = parentElement.children.filter((child) => child !== this);
    this.parentElement = null;
  }

  focus(): void {
    this.page.activeElement = this;
  }

  /** Only `[data-key="..."]` is understood. */
  querySelector(selector: string): FakeElement | null {
    const key = /^\[data-key="(.*)"\]$/.exec(selector)?.[1];
    return this.find((element) => element.dataset.key === key) ?? null;
  }

  find(isMeant: (element: FakeElement) => boolean): FakeElement | undefined {
    return [...this.all()].find(isMeant);
  }

  *all(): Iterable<FakeElement> {
    yield this;
    for (const child of this.children) yield* child.all();
  }

  /** What a listener does. */
  send(name: string, event: object = { preventDefault: () => undefined }): void {
    this.listeners.get(name)?.(event);
  }
}

export class FakeDocument {
  readonly body: FakeElement;
  activeElement: FakeElement;

  constructor() {
    this.body = new FakeElement(this, 'body');
    this.activeElement = this.body;
  }

  createElement(tag: string): FakeElement {
    return new FakeElement(this, tag);
  }

  createElementNS(_space: string, tag: string): FakeElement {
    return new FakeElement(this, tag);
  }
}

/** The address of the page: what is behind # begins with it, however it was set. */
export class FakeLocation {
  readonly pathname = '/dashboard';
  private behind = '';

  get hash(): string {
    return this.behind;
  }

  set hash(text: string) {
    this.behind = text === '' || text.startsWith('#') ? text : `#${text}`;
  }
}
