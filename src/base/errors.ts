/**
 * The one way this library complains: where it happened, what is wrong (or what was got and expected), what to write instead.
 * Texts are part of the interface and are tested word for word.
 */
export interface Complaint {
  /** The call, site or file concerned: `sample "a"`, `matmul`. */
  readonly where: string;
  /** The whole complaint in words; used instead of got/expected. */
  readonly what?: string;
  readonly got?: string;
  readonly expected?: string;
  /** What to write instead. */
  readonly write?: string;
}

/** Every error thrown on purpose by this library. */
export class SamplegradError extends Error {
  readonly where: string;

  constructor(complaint: Complaint) {
    super(sentence(complaint));
    this.name = "SamplegradError";
    this.where = complaint.where;
  }
}

/** Thrown when a gradient that does not exist (or would be biased) is asked for: equations (4)-(5) of the talk. */
export class NoGradientError extends SamplegradError {
  constructor(complaint: Complaint) {
    super(complaint);
    this.name = "NoGradientError";
  }
}

function sentence({ where, what, got, expected, write }: Complaint): string {
  const body = what ?? `got ${got}, expected ${expected}`;
  return `${where}: ${body}${write === undefined ? "" : `; ${write}`}.`;
}

export function fail(complaint: Complaint): never {
  throw new SamplegradError(complaint);
}

/** `[a, b and c]` in words. */
export function listed(items: readonly string[], last = "or"): string {
  if (items.length <= 1) return items.join("");
  return `${items.slice(0, -1).join(", ")} ${last} ${items[items.length - 1]}`;
}
