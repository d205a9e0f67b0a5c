import { type Diagnostic, distinct } from '../base/diagnostics/index.js';
import type { Source } from '../base/source.js';
import {
  CheckMemory,
  type Model,
  type ModelLoader,
  type ProjectIndex,
  checkWhatHolds,
  indexProject,
} from '../model/index.js';
import { problemsOf } from '../workspace/config-problems.js';
import type { Host } from './host.js';

/** A document as it is now, with what the compiler makes of it. */
export interface Analysis {
  readonly source: Source;
  /** What holds of it, whatever is wrong with the rest. */
  readonly model: Model | undefined;
  readonly diagnostics: readonly Diagnostic[];
  readonly index: ProjectIndex | undefined;
}

/** The documents that an editor has open, over those that the host reads; each is analysed once for a state of all. */
export class Project {
  /** Texts of open documents, by name. */
  readonly #open = new Map<string, string>();
  /** What was found of open documents before their last change, by name. */
  readonly #memories = new Map<string, CheckMemory>();
  readonly #analyses = new Map<string, Analysis>();

  constructor(readonly host: Host) {}

  /** A document is opened or has another text. What others make of it is looked at anew. */
  change(uri: string, text: string): void {
    const name = this.host.nameOf(uri);
    if (name === undefined || this.#open.get(name) === text) return;
    this.#open.set(name, text);
    this.#analyses.clear();
  }

  close(uri: string): void {
    const name = this.host.nameOf(uri);
    if (name === undefined || !this.#open.delete(name)) return;
    this.#memories.delete(name);
    this.#analyses.clear();
  }

  /** Files that aren't open may have changed. */
  refresh(): void {
    this.#memories.clear();
    this.#analyses.clear();
  }

  /** Nothing for documents that aren't open. */
  analysis(uri: string): Analysis | undefined {
    const name = this.host.nameOf(uri);
    const text = name === undefined ? undefined : this.#open.get(name);
    if (name === undefined || text === undefined) return undefined;
    const known = this.#analyses.get(name);
    if (known !== undefined) return known;
    const made = this.#analyse({ name, text });
    this.#analyses.set(name, made);
    return made;
  }

  #analyse(source: Source): Analysis {
    const loader = this.#loader(source.name);
    const memory = this.#memories.get(source.name) ?? new CheckMemory();
    this.#memories.set(source.name, memory);
    const { value: model, diagnostics } = checkWhatHolds(source, loader, { memory });
    const exists = (path: string): boolean => this.host.exists(path);
    const ofConfigs = [...(model?.configs.values() ?? [])].flatMap((config) => problemsOf(config, exists));
    const index = indexProject(source, loader, { memory });
    return { source, model, diagnostics: distinct([...diagnostics, ...ofConfigs]), index };
  }

  /** What is open is read as the editor has it. */
  #loader(name: string): ModelLoader {
    const disk = this.host.loader(name);
    return {
      read: (path) => this.#open.get(path) ?? disk.read(path),
      library: (path) => disk.library(path),
      leaves: (path) => disk.leaves?.(path) ?? false,
    };
  }
}
