import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** Explains and audits a program of the user's: the two commands of the command line, one after the other. */
export async function ownProgram(path: string): Promise<number> {
  const cli = fileURLToPath(new URL("../../src/cli/main.ts", import.meta.url));
  for (const command of ["explain", "audit"]) {
    const code = await new Promise<number>((resolve, reject) => {
      const child = spawn(process.execPath, [...process.execArgv, cli, command, path], { stdio: "inherit" });
      child.on("error", reject);
      child.on("exit", (status) => resolve(status ?? 130));
    });
    if (code !== 0) return code;
    if (command === "explain") console.log();
  }
  return 0;
}
