/** Keeps structures as a store does, and may be told to keep none. */
import { type DocumentStructure, type StructureStore, defineStructure } from '../src/document-structure.js';

export class TestStructures implements StructureStore {
  readonly kept = new Set<DocumentStructure>();
  keeps = true;

  has(structure: DocumentStructure): boolean {
    return this.kept.has(structure);
  }

  wants(structure: DocumentStructure): void {
    if (this.keeps) this.kept.add(structure);
  }

  learn(bytes: Uint8Array): DocumentStructure | undefined {
    return this.keeps ? defineStructure(bytes) : undefined;
  }
}
