#!/usr/bin/env node
import { readFileSync, realpathSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Command } from "commander";
import { auditCommand, explainCommand, runCommand } from "./commands.js";
import { CliError, type ExitCode, type Io } from "./io.js";
import { dtypeOption, whole } from "./options.js";
import { load } from "./packages.js";

type Commander = typeof import("commander");

/**
 * `samplegrad run | explain | audit program.ts`. Results go to stdout, everything else to stderr.
 * @param argv what stands behind the command's name
 * @returns the exit status: 0 done, 1 the program is wrong, 2 the command line is
 */
export async function main(argv: readonly string[], io: Io): Promise<ExitCode> {
  try {
    const commander = await load<Commander>("commander", io.cwd);
    await commandLine(commander, io).parseAsync([...argv], { from: "user" });
    return 0;
  } catch (error) {
    return complain(error, io);
  }
}

function commandLine({ Command }: Commander, io: Io): Command {
  const root = new Command("samplegrad")
    .description("Values and gradients of expectations over programs with random choices.")
    .version(version())
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
    })
    .showHelpAfterError("samplegrad --help lists the commands")
    .addHelpText("after", `\n${programHelp}`);
  common(root.command("run"), "the value and the gradient with error bars").action((path, options) =>
    runCommand(path, options, io),
  );
  common(root.command("explain"), "estimators and why, credit, adjoints of named values, the graph")
    .option("--dot <file>", "also draw the graph for Graphviz into a file")
    .option("--plan", "instead: what the value and the gradient are compiled to, and what of it takes time")
    .option("--wat", "instead, or after it: the WebAssembly code of that")
    .action((path, options) => explainCommand(path, options, io));
  common(root.command("audit"), "bias, variance and cost of every admissible estimator").action((path, options) =>
    auditCommand(path, options, io),
  );
  return root;
}

const programHelp = `A program is a TypeScript or JavaScript file:

  import { Bernoulli, sample } from "samplegrad";
  const program = ({ logits }) => sample(Bernoulli({ logits }), { name: "a" }).sub(0.3).square().sum();
  export default { program, params: { logits: [0.2, -0.4] } };

It may also export data (the program's second argument), samples, estimators and dynamic.`;

function common(command: Command, description: string): Command {
  return command
    .argument("<program>", "the file that exports it")
    .description(description)
    .option("-s, --samples <n>", "runs (default: those of the file, or 1000)", whole("--samples", 1))
    .option("-k, --key <n>", "the seed", whole("--key", 0), 0)
    .option(
      "-e, --estimator <site=name>",
      "estimator of a site, as in a=scoreFunction; repeatable",
      (text: string, before: string[]) => [...before, text],
      [],
    )
    .option("--dtype <type>", "float32 or float64 for parameters and data", dtypeOption)
    .option("--json", "one JSON document instead of text");
}

function version(): string {
  return JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8")).version;
}

/** Says what is wrong in one line; a failure inside the program keeps its stack. */
function complain(error: unknown, io: Io): ExitCode {
  const {
    name = "",
    code,
    message,
    where,
    stack,
  } = error as { name?: string; code?: unknown; message: string; where?: string; stack?: string };
  // Commander has written its own complaint; help and version are none.
  if (typeof code === "string" && code.startsWith("commander."))
    return (error as { exitCode: number }).exitCode === 0 ? 0 : 2;
  // By name: the program's library may be another instance than the one this file was loaded with.
  const told = error instanceof CliError || ["SamplegradError", "NoGradientError"].includes(name);
  io.stderr.write(`samplegrad: ${told ? message : outside(stack ?? message)}\n`);
  if (error instanceof CliError) return error.code;
  return where === "estimators" ? 2 : 1;
}

/** A stack without the library's own frames: what is wrong is in the program, or above all of them. */
function outside(stack: string): string {
  const here = new URL("..", import.meta.url);
  const lines = stack
    .split("\n")
    .filter(
      (line) => !line.includes(here.href) && !line.includes(fileURLToPath(here)) && !line.includes("node:internal"),
    );
  return lines.length > 1 ? lines.join("\n") : stack;
}

/** Whether this file is what node was asked to run, links of a package manager resolved. */
function isEntry(): boolean {
  const entry = process.argv[1];
  if (entry === undefined) return false;
  try {
    return pathToFileURL(realpathSync(entry)).href === import.meta.url;
  } catch {
    return false;
  }
}

if (isEntry()) {
  // A reader that has seen enough (`| head`) is no error.
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    if (error.code === "EPIPE") process.exit(0);
    throw error;
  });
  process.exitCode = await main(process.argv.slice(2), {
    stdout: process.stdout,
    stderr: process.stderr,
    env: process.env,
    cwd: process.cwd(),
  });
}
