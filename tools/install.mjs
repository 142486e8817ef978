// Runs before `npm start` and `npm test`: installs what package-lock.json says, when it is not installed yet.
// Plain JavaScript over Node's own modules, because it runs before anything is installed.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = process.argv[2] ?? dirname(dirname(fileURLToPath(import.meta.url)));
const lockfile = join(root, "package-lock.json");
const stamp = join(root, "node_modules", ".installed-lock-hash");
const mutex = join(root, ".install.lock");
const STALE_AFTER_MS = 20 * 60_000;

/** The content of a file, or "" where there is none. */
function read(path) {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}

const wanted = createHash("sha256").update(read(lockfile)).digest("hex");
const isCurrent = () => read(stamp) === wanted;

/**
 * True where somebody ran `npm install` or `npm ci` by hand: npm's own record of what it installed
 * names every package at the locked version, and each of them is there.
 */
function installedByHand() {
  const record = read(join(root, "node_modules", ".package-lock.json"));
  if (record === "") return false;
  try {
    const installed = JSON.parse(record).packages;
    return Object.entries(JSON.parse(read(lockfile)).packages).every(([path, entry]) => {
      if (path === "") return true;
      if (!installed[path]) return entry.optional === true || entry.peer === true;
      return installed[path].version === entry.version && existsSync(join(root, path, "package.json"));
    });
  } catch {
    return false;
  }
}

/** Whether the process that holds the mutex is gone (killed in the middle of an install). */
function holderIsGone() {
  try {
    const age = Date.now() - statSync(mutex).mtimeMs;
    const pid = Number(read(mutex));
    // Without a number the file was made a moment ago and is not written yet, or its maker was killed in that moment.
    if (age > (pid ? STALE_AFTER_MS : 10_000)) return true;
    if (!pid) return false;
    process.kill(pid, 0);
    return false;
  } catch (error) {
    return error.code === "ESRCH";
  }
}

/** Waits for the mutex: a file that only one process can create. */
function acquire() {
  for (let waited = false; ; waited = true) {
    try {
      writeFileSync(mutex, String(process.pid), { flag: "wx" });
      return;
    } catch (error) {
      if (error.code !== "EEXIST") throw error;
    }
    if (holderIsGone()) rmSync(mutex, { force: true });
    else if (!waited) console.error("waiting for another install of this folder to end");
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
}

/** Installs and returns npm's exit status. The stamp goes first and comes last, so a half-made folder never has one. */
function install() {
  rmSync(stamp, { force: true });
  if (!installedByHand()) {
    console.error("installing the packages of package-lock.json (npm ci)");
    const options = { cwd: root, stdio: ["ignore", "inherit", "inherit"], shell: process.platform === "win32" };
    const { status } = spawnSync("npm", ["ci", "--include=dev"], options);
    if (status !== 0) return status ?? 1;
  }
  writeFileSync(stamp, wanted);
  return 0;
}

if (!isCurrent()) {
  acquire();
  try {
    if (!isCurrent()) process.exitCode = install();
  } finally {
    rmSync(mutex, { force: true });
  }
}
