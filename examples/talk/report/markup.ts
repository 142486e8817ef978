/** Strings of HTML and SVG. */

export function escaped(text: string): string {
  return text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");
}

type Attributes = { readonly [name: string]: string | number | undefined };

/** An element; children are markup already. */
export function el(name: string, attributes: Attributes = {}, ...children: readonly string[]): string {
  const list = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${escaped(typeof value === "number" ? rounded(value) : (value as string))}"`);
  return `<${name}${list.join("")}>${children.join("")}</${name}>`;
}

function rounded(x: number): string {
  return String(Math.round(x * 100) / 100);
}

export function svg(width: number, height: number, title: string, ...children: readonly string[]): string {
  const attributes = {
    xmlns: "http://www.w3.org/2000/svg",
    viewBox: `0 0 ${rounded(width)} ${rounded(height)}`,
    role: "img",
    width,
  };
  return el("svg", attributes, el("title", {}, escaped(title)), ...children);
}

export function text(x: number, y: number, content: string, attributes: Attributes = {}): string {
  return el("text", { x, y, ...attributes }, escaped(content));
}

export interface Column {
  readonly head: string;
  /** Numbers stand on the right. */
  readonly right?: boolean;
}

/** A table of plain text; a row may have a class. */
export function table(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
  classes: readonly string[] = [],
): string {
  const cell = (kind: string, content: string, i: number): string =>
    el(kind, { class: columns[i]?.right ? "right" : undefined }, escaped(content));
  const head = el("tr", {}, ...columns.map(({ head: name }, i) => cell("th", name, i)));
  const body = rows.map((row, r) =>
    el("tr", { class: classes[r] || undefined }, ...row.map((content, i) => cell("td", content, i))),
  );
  return el("div", { class: "scroll" }, el("table", {}, el("thead", {}, head), el("tbody", {}, ...body)));
}
