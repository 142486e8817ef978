import { Command, CommanderError, InvalidArgumentError, Option } from "commander";
import type { Workload } from "./workload.js";
import { workloads } from "./workloads/index.js";

/** A mistake on the command line; the process ends with status 2. */
export class WrongUse extends Error {}

export interface Options {
  readonly json: boolean;
  readonly only: readonly Workload[];
  /** undefined: as many as the library can. */
  readonly threads?: 1 | 2;
  readonly blas: boolean;
  readonly reps?: number;
  readonly quick: boolean;
  /** The folder of the peers' scripts. */
  readonly peers?: string;
  readonly sizes: boolean;
}

/** The options, or the text of --help. @throws WrongUse */
export function parse(
  args: readonly string[],
  environment: Readonly<Record<string, string | undefined>>,
): Options | string {
  let text = "";
  const write = (s: string): void => {
    text += s;
  };
  const program = command().configureOutput({ writeOut: write, writeErr: write }).exitOverride();
  try {
    program.parse([...args], { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code === "commander.helpDisplayed") return text;
    throw new WrongUse(error.message.replace(/^error: /, ""));
  }
  const { peers, ...rest } = program.opts<Omit<Options, "peers"> & { peers?: string | true }>();
  return { ...rest, peers: peers === undefined ? undefined : folderOf(peers, environment) };
}

function command(): Command {
  return new Command("npm run bench --")
    .description("Times the workloads W1 to W12 and checks their numbers.")
    .addOption(
      new Option("--only <names>", "some of them: W1,W3 or W1-100").argParser(chosen).default(workloads, "all"),
    )
    .option("--threads <n>", "1 or 2; without it as many as the library can", threadCount)
    .option("--blas", "large matrix products by a BLAS of the system", false)
    .option("--reps <n>", "exactly so many repetitions", whole)
    .option("--quick", "small sizes and few repetitions: does everything run?", false)
    .option("--json", "one line of JSON per result", false)
    .option("--peers [folder]", "other libraries in turn, by the scripts in this folder (or $PEERS)")
    .option("--sizes", "instead: sizes of bundles", false)
    .allowExcessArguments(false);
}

function folderOf(given: string | true, environment: Readonly<Record<string, string | undefined>>): string {
  if (given !== true) return given;
  const folder = environment["PEERS"];
  if (folder) return folder;
  throw new WrongUse("--peers: no folder; write --peers FOLDER, or set PEERS");
}

function chosen(text: string): readonly Workload[] {
  const wanted = text.split(",").map((name) => name.trim());
  const fits = (name: string, { name: full }: Workload): boolean => full === name || full.startsWith(`${name}-`);
  const unknown = wanted.find((name) => !workloads.some((w) => fits(name, w)));
  if (unknown !== undefined)
    throw new InvalidArgumentError(
      `There is no workload "${unknown}"; there are ${workloads.map(({ name }) => name).join(", ")}.`,
    );
  return workloads.filter((w) => wanted.some((name) => fits(name, w)));
}

function threadCount(text: string): 1 | 2 {
  if (text === "1" || text === "2") return Number(text) as 1 | 2;
  throw new InvalidArgumentError("It must be 1 or 2.");
}

function whole(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1) return value;
  throw new InvalidArgumentError("It must be a whole number of at least 1.");
}
