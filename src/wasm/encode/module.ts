import { Bytes } from "./bytes.js";
import type { Code } from "./code.js";
import { listing } from "./listing.js";
import { type Callee, typeBytes, type WasmType } from "./types.js";

interface Imported {
  readonly name: string;
  readonly type: number;
}

interface Signature {
  readonly params: readonly WasmType[];
  readonly results: readonly WasmType[];
}

/** A module under construction: imports first, then functions, in the order they are declared. */
export class ModuleBuilder {
  private readonly types: Signature[] = [];
  private readonly typeKeys = new Map<string, number>();
  private readonly imports: Imported[] = [];
  private readonly functions: { readonly code: Code; readonly type: number; readonly label: string }[] = [];
  private readonly exports: { readonly name: string; readonly index: number }[] = [];

  /** A function of the world outside, under the name `env.<name>`. All imports come before the first function. */
  importFunction(name: string, params: readonly WasmType[], results: readonly WasmType[]): Callee {
    if (this.functions.length > 0) throw new Error("wasm: imports come before functions");
    this.imports.push({ name, type: this.typeOf({ params, results }) });
    return { index: this.imports.length - 1 };
  }

  /** Adds a finished function. @param label shown in listings */
  add(code: Code, label = "", exportName?: string): Callee {
    const index = this.imports.length + this.functions.length;
    this.functions.push({ code, type: this.typeOf(code), label });
    if (exportName !== undefined) this.exports.push({ name: exportName, index });
    return { index };
  }

  private typeOf({ params, results }: Signature): number {
    const key = `${params}>${results}`;
    const known = this.typeKeys.get(key);
    if (known !== undefined) return known;
    this.types.push({ params, results });
    this.typeKeys.set(key, this.types.length - 1);
    return this.types.length - 1;
  }

  /** The bytes of the module. Its memory is imported as `env.memory`. @param pages [initial, maximum], in 64 KiB */
  bytes(memory: { readonly shared: boolean; readonly pages: readonly [number, number] }): Uint8Array<ArrayBuffer> {
    const out = new Bytes(1024);
    out.append([0, 0x61, 0x73, 0x6d, 1, 0, 0, 0]);
    section(out, 1, this.types, (types, { params, results }) => {
      types.byte(0x60);
      writeTypes(types, params);
      writeTypes(types, results);
    });
    section(out, 2, [null, ...this.imports], (imports, imported) => {
      imports.name("env");
      imports.name(imported ? imported.name : "memory");
      if (imported) {
        imports.byte(0);
        imports.unsigned(imported.type);
      } else {
        imports.append([2, memory.shared ? 3 : 1]);
        for (const bound of memory.pages) imports.unsigned(bound);
      }
    });
    section(out, 3, this.functions, (types, { type }) => types.unsigned(type));
    section(out, 7, this.exports, (exports, { name, index }) => {
      exports.name(name);
      exports.byte(0);
      exports.unsigned(index);
    });
    section(out, 10, this.functions, (bodies, { code }) => code.writeTo(bodies));
    this.writeNames(out);
    return out.view().slice();
  }

  /** Labels, for profilers and stack traces. */
  private writeNames(out: Bytes): void {
    const labelled = this.functions.flatMap(({ label }, i) => (label === "" ? [] : [{ label, i }]));
    if (labelled.length === 0) return;
    const content = new Bytes();
    content.name("name");
    section(content, 1, labelled, (names, { label, i }) => {
      names.unsigned(this.imports.length + i);
      names.name(label);
    });
    out.byte(0);
    out.unsigned(content.length);
    out.append(content.view());
  }

  /** The module for people: flat text, one instruction a line. */
  wat(): string {
    const lines = this.imports.map(({ name }, i) => `  (import "env" "${name}") ;; function ${i}`);
    this.functions.forEach(({ code, label }, i) => {
      const header = `(func ${this.imports.length + i} (param ${code.params.join(" ")}) (result ${code.results.join(" ")})`;
      lines.push(`  ${header} ;; ${label}`, `    (local ${code.locals.join(" ")})`);
      for (const line of listing(code.instructions())) lines.push(`    ${line}`);
      lines.push("  )");
    });
    return ["(module", ...lines, ")"].join("\n");
  }
}

function writeTypes(out: Bytes, types: readonly WasmType[]): void {
  out.unsigned(types.length);
  for (const type of types) out.byte(typeBytes[type]);
}

function section<T>(out: Bytes, id: number, items: readonly T[], write: (out: Bytes, item: T) => void): void {
  const content = new Bytes();
  content.unsigned(items.length);
  for (const item of items) write(content, item);
  out.byte(id);
  out.unsigned(content.length);
  out.append(content.view());
}
