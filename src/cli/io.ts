/** Where a command reads its surroundings and writes: a process, or a test. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
}

export interface Io {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: { readonly [name: string]: string | undefined };
  readonly cwd: string;
}

/** Results are on stdout, exit status: 0 done, 1 the program is wrong, 2 the command line is. */
export type ExitCode = 0 | 1 | 2;

/** A complaint about the command line, or about the program in the file. */
export class CliError extends Error {
  readonly code: ExitCode;

  constructor(message: string, code: ExitCode) {
    super(message);
    this.name = "CliError";
    this.code = code;
  }
}

export function wrongUse(message: string): never {
  throw new CliError(message, 2);
}

export function wrongProgram(message: string): never {
  throw new CliError(message, 1);
}

/** Bold for people: not into files, and not for those who set NO_COLOR (no-color.org). */
export function bold(text: string, { stdout, env }: Io): string {
  return stdout.isTTY && !env["NO_COLOR"] ? `\u001b[1m${text}\u001b[22m` : text;
}
