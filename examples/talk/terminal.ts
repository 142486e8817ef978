import cliProgress from "cli-progress";
import Table from "cli-table3";
import { resultColumns, resultNotes, resultRows } from "./report/words.js";
import type { Result, RunHooks } from "./run.js";

/** What a person sees in the terminal: results on stdout, the progress bar on stderr and only where that is a terminal. */

export function progressBar(): { onProgress: NonNullable<RunHooks["onProgress"]>; stop(): void } {
  const bar = new cliProgress.SingleBar({
    format: "{bar} {value}/{total} steps, {eta_formatted} left: {what}",
    stream: process.stderr,
    clearOnComplete: true,
    hideCursor: true,
    // Ctrl-C is ours: it ends the training and writes what there is.
    gracefulExit: false,
  });
  let running = false;
  return {
    onProgress: (what, steps, all) => {
      if (!process.stderr.isTTY) return;
      if (!running) bar.start(all, steps, { what });
      else bar.update(steps, { what });
      running = true;
    },
    stop: () => {
      if (running) bar.stop();
      running = false;
    },
  };
}

/** The results as a table of text. */
export function resultsText({ outcomes, settings, cancelled }: Result): string {
  const none = Object.fromEntries(
    [
      "top",
      "top-mid",
      "top-left",
      "top-right",
      "bottom",
      "bottom-mid",
      "bottom-left",
      "bottom-right",
      "left",
      "left-mid",
      "mid",
      "mid-mid",
      "right",
      "right-mid",
    ].map((name) => [name, ""]),
  );
  const table = new Table({
    head: resultColumns.map(({ head }) => head),
    colAligns: resultColumns.map(({ right }) => (right ? "right" : "left")),
    chars: { ...none, middle: "  " },
    style: { head: [], border: [], "padding-left": 0, "padding-right": 0 },
  });
  table.push(...resultRows(outcomes, settings.batch));
  const notes = resultNotes.join("\n");
  return `Results${cancelled ? " so far (stopped)" : ""}\n\n${table.toString()}\n\n${notes}`;
}
