const said = new Set<string>();

/** Says once per process why there are fewer threads than there could be. */
export function warnOnce(why: string): void {
  const text = `samplegrad runs on one thread: ${why}`;
  if (said.has(text)) return;
  said.add(text);
  if (typeof process === "object" && typeof process.emitWarning === "function")
    process.emitWarning(text, "SamplegradWarning");
  else if (typeof console === "object") console.warn(text);
}
