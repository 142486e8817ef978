import { scaleLinear } from "d3-scale";
import { area, line } from "d3-shape";
import { el, svg, text } from "./markup.js";

export interface Series {
  readonly name: string;
  readonly color: string;
  readonly points: readonly (readonly [x: number, y: number])[];
  /** For each point the ends of its interval. */
  readonly band?: readonly (readonly [low: number, high: number])[];
}

export interface Chart {
  readonly title: string;
  /** With units. */
  readonly x: string;
  readonly y: string;
  readonly series: readonly Series[];
  /** Shown on the y axis at least. */
  readonly range?: readonly [number, number];
  readonly percent?: boolean;
}

const [WIDTH, HEIGHT] = [560, 330];
const frame = { left: 58, right: 26, top: 30, bottom: 46 };

/** A line chart; who is who is told by `legend`. */
export function lineChart({ title, x, y, series, range, percent }: Chart): string {
  const points = series.flatMap((s) => s.points);
  const values = [
    ...points.map(([, value]) => value),
    ...series.flatMap(({ band }) => band ?? []).flat(),
    ...(range ?? []),
  ];
  const toX = scaleLinear()
    .domain([0, Math.max(1, ...points.map(([at]) => at))])
    .range([frame.left, WIDTH - frame.right]);
  const toY = scaleLinear()
    .domain([Math.min(...values), Math.max(...values)])
    .nice()
    .range([HEIGHT - frame.bottom, frame.top]);
  const told = (value: number): string => (percent ? `${Math.round(value * 100)} %` : value.toLocaleString("en"));
  const axes = [
    ...toY.ticks(6).map((tick) => rule(toY(tick), told(tick))),
    base,
    ...toX.ticks(6).map((tick) => mark(toX(tick), tick)),
  ];
  return svg(WIDTH, HEIGHT, title, ...axes, ...series.map((s) => curve(s, toX, toY)), ...labels(title, x, y));
}

const [LEFT, RIGHT, BOTTOM] = [frame.left, WIDTH - frame.right, HEIGHT - frame.bottom];
const base: string = el("line", { x1: LEFT, x2: RIGHT, y1: BOTTOM, y2: BOTTOM, class: "axis" });

/** A horizontal line and its number. */
function rule(y: number, label: string): string {
  const across = el("line", { x1: LEFT, x2: RIGHT, y1: y, y2: y, class: "grid" });
  return across + text(LEFT - 8, y + 4, label, { "text-anchor": "end", class: "tick" });
}

function mark(x: number, value: number): string {
  const tick = el("line", { x1: x, x2: x, y1: BOTTOM, y2: BOTTOM + 5, class: "axis" });
  return tick + text(x, BOTTOM + 19, value.toLocaleString("en"), { "text-anchor": "middle", class: "tick" });
}

function labels(title: string, x: string, y: string): string[] {
  const middle = (frame.top + BOTTOM) / 2;
  return [
    text(LEFT, 16, title, { class: "title" }),
    text((LEFT + RIGHT) / 2, HEIGHT - 8, x, { "text-anchor": "middle", class: "label" }),
    text(14, middle, y, { "text-anchor": "middle", class: "label", transform: `rotate(-90 14 ${middle})` }),
  ];
}

type Scale = (value: number) => number;

function curve({ color, points, band, name }: Series, toX: Scale, toY: Scale): string {
  const path =
    line<readonly [number, number]>(
      (p) => toX(p[0]),
      (p) => toY(p[1]),
    )(points as (readonly [number, number])[]) ?? "";
  const interval = band
    ? area<readonly [number, number]>()
        .x((_, i) => toX((points[i] as readonly [number, number])[0]))
        .y0(([low]) => toY(low))
        .y1(([, high]) => toY(high))(band as (readonly [number, number])[])
    : null;
  const dots = points.map(([x, y]) => el("circle", { cx: toX(x), cy: toY(y), r: 2.6, fill: color }));
  return [
    interval ? el("path", { d: interval, fill: color, opacity: 0.12 }) : "",
    el("path", { d: path, fill: "none", stroke: color, "stroke-width": 2 }, el("title", {}, name.replace(/[<&]/g, ""))),
    ...dots,
  ].join("");
}

export function legend(series: readonly Pick<Series, "name" | "color">[]): string {
  const items = series.map(({ name, color }) =>
    el("li", {}, el("i", { style: `background:${color}` }), name.replace(/[<&]/g, "")),
  );
  return el("ul", { class: "legend" }, ...items);
}
