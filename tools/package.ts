/**
 * `npm run package`: builds, packs, and checks the tarball as a user gets it. publint and attw read it; then it is
 * installed into an empty project without any optional package, imported, and its command run.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = resolve(".");

/** Runs a command and gives its output; throws with the output when it fails. */
function run(command: string, args: readonly string[], cwd: string): string {
  try {
    return execFileSync(command, args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout, stderr } = error as { stdout: string; stderr: string };
    throw new Error(`${command} ${args.join(" ")} failed\n${stdout}${stderr}`);
  }
}

const tool = (name: string): string => join(root, "node_modules", ".bin", name);

function checkTarball(tarball: string, project: string): void {
  console.log(run(tool("publint"), ["run", tarball, "--strict"], root).trim());
  console.log(run(tool("attw"), [tarball, "--profile", "esm-only", "--format", "ascii"], root).trim());

  writeFileSync(join(project, "package.json"), '{ "name": "user", "private": true, "type": "module" }\n');
  // Nothing may come from the network: the core has no dependencies, and its optional peers are not installed.
  run("npm", ["install", "--offline", "--no-audit", "--no-fund", tarball], project);
  const script = 'console.log(Object.keys(await import("samplegrad")).length + " exports")';
  console.log(run(process.execPath, ["--input-type=module", "--eval", script], project).trim());

  const command = join(project, "node_modules", ".bin", "samplegrad");
  if (!existsSync(command)) throw new Error("the package installs no command `samplegrad`");
  cpSync(join(root, "node_modules", "commander"), join(project, "node_modules", "commander"), { recursive: true });
  console.log(run(command, ["--help"], project).trim());
}

function main(): void {
  run("npm", ["run", "build"], root);
  const folder = mkdtempSync(join(tmpdir(), "samplegrad-package-"));
  const project = mkdtempSync(join(tmpdir(), "samplegrad-user-"));
  try {
    const packed = run("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], root);
    const [{ filename, size, entryCount }] = JSON.parse(packed);
    console.log(`${filename}: ${entryCount} files, ${Math.round(size / 1024)} KiB`);
    checkTarball(join(folder, filename), project);
  } catch (error) {
    console.error((error as Error).message);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(project, { recursive: true, force: true });
  }
}

main();
