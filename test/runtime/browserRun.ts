import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { build } from "esbuild";

/** Runs a program in Chromium: a page that is cross-origin isolated, so that it has threads, and posts its answer. */

/** A browser of this machine: $CHROMIUM, or one of the usual names on the path; null: there is none. */
export function chromium(): string | null {
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"];
  const places = (process.env["PATH"] ?? "")
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)));
  const own = process.env["CHROMIUM"];
  return [...(own === undefined ? [] : [own]), ...places].find(runnable) ?? null;
}

function runnable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function bundled(program: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: program, resolveDir: resolve("."), loader: "ts" },
    alias: { samplegrad: resolve("src/index.ts") },
    bundle: true,
    write: false,
    format: "esm",
    platform: "browser",
    logLevel: "silent",
  });
  return outputFiles[0]?.text ?? "";
}

const isolated = {
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
};

/** What the page posts to /done. */
function serve(script: string, done: (text: string) => void): Server {
  const page = '<!doctype html><script type="module" src="/program.js"></script>';
  return createServer((request, response) => {
    if (request.url === "/done") {
      const parts: Buffer[] = [];
      request.on("data", (part: Buffer) => parts.push(part));
      request.on("end", () => {
        response.end();
        done(Buffer.concat(parts).toString());
      });
      return;
    }
    const isScript = request.url === "/program.js";
    response.writeHead(request.url === "/favicon.ico" ? 404 : 200, {
      ...isolated,
      "Content-Type": isScript ? "text/javascript" : "text/html",
    });
    response.end(isScript ? script : page);
  });
}

/** @param program TypeScript with `export default async () => string` @throws what it threw, or after `patience` ms */
export async function inChromium(browser: string, program: string, patience: number): Promise<string> {
  const script = await bundled(
    `
    import answer from "program";
    const post = (kind, text) => fetch("/done", { method: "POST", body: kind + text });
    answer().then((text) => post("=", text), (error) => post("!", String(error?.stack ?? error)));
  `.replace('import answer from "program";', program.replace("export default", "const answer =")),
  );
  const folder = mkdtempSync(join(tmpdir(), "samplegrad-"));
  let child: ChildProcess | null = null;
  let server: Server | null = null;
  try {
    const text = await new Promise<string>((give, refuse) => {
      const timer = setTimeout(() => refuse(new Error(`${browser} did not answer within ${patience} ms`)), patience);
      server = serve(script, (answer) => {
        clearTimeout(timer);
        give(answer);
      });
      server.listen(0, "127.0.0.1", () => {
        const { port } = (server as Server).address() as AddressInfo;
        const options = ["--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", `--user-data-dir=${folder}`];
        child = spawn(browser, [...options, `http://127.0.0.1:${port}/`], { stdio: "ignore" });
        child.on("error", refuse);
      });
    });
    if (text.startsWith("!")) throw new Error(text.slice(1));
    return text.slice(1);
  } finally {
    await ended(child);
    (server as Server | null)?.closeAllConnections();
    (server as Server | null)?.close();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function ended(child: ChildProcess | null): Promise<void> {
  if (child === null || child.exitCode !== null) return;
  await new Promise((resolve) => {
    child.on("exit", resolve);
    child.kill();
  });
}
