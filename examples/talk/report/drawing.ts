import dagre from "@dagrejs/dagre";
import { curveBasis, line } from "d3-shape";
import type { Drawn, DrawnEdge, DrawnNode } from "./graph.js";
import { el, svg, text } from "./markup.js";

/** The stochastic computation graph: random choices are ellipses, and where backpropagation ends can be seen. */

const colors = { backprop: "#0072b2", stop: "#d55e00", plain: "#9a9a9a", score: "#d55e00" };
const fills: Readonly<Record<DrawnNode["kind"], string>> = {
  parameter: "#e3eefb",
  data: "#f2f2f2",
  named: "#ffffff",
  site: "#fff1d6",
  noise: "#f2f2f2",
  cost: "#fdf6c4",
};
/** Space for the arc of the score function, and around everything. */
const MARGIN = 16;
const ARC = 74;

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** @param id sets the drawing apart from others on the page */
export function drawing(graph: Drawn, title: string, id: string): string {
  const layout = laidOut(graph);
  const placeOf = (id: string): Place => layout.node(id) as unknown as Place;
  const { width = 0, height = 0 } = layout.graph() as { width?: number; height?: number };
  const points = (edge: DrawnEdge): { x: number; y: number }[] =>
    (layout.edge(edge.from, edge.to) as { points: { x: number; y: number }[] }).points;
  const below = graph.scores.length > 0 ? ARC : 0;
  const body = [
    ...graph.edges.map((edge) => edgeMarkup(edge, points(edge), id)),
    ...graph.nodes.map((node) => nodeMarkup(node, placeOf(node.id))),
    ...graph.scores.flatMap(({ site, to }) => {
      const words = `score function: cost · ∇ log p(${nameOf(graph, site)})`;
      return to.map((node) => scoreArc(placeOf(costOf(graph)), placeOf(node), height, words, id));
    }),
  ];
  return svg(
    width + 2 * MARGIN,
    height + below + 2 * MARGIN,
    title,
    markers(id),
    el("g", { transform: `translate(${MARGIN} ${MARGIN})` }, ...body),
  );
}

function costOf({ nodes }: Drawn): string {
  return (nodes.find(({ kind }) => kind === "cost") as DrawnNode).id;
}

function nameOf({ nodes }: Drawn, id: string): string {
  return (nodes.find((node) => node.id === id)?.lines[0] ?? "").split(" ")[0] as string;
}

function laidOut({ nodes, edges }: Drawn): InstanceType<typeof dagre.graphlib.Graph> {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 22, ranksep: 46, marginx: 2, marginy: 2 });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const { id, kind, lines } of nodes) {
    const letters = Math.max(...lines.map((row) => row.length));
    const round = kind === "site" || kind === "noise";
    graph.setNode(id, { width: letters * 7.4 + (round ? 34 : 20), height: lines.length * 17 + (round ? 24 : 12) });
  }
  // Where backpropagation stops there is room for the words that say so.
  for (const { from, to, flow } of edges)
    graph.setEdge(from, to, flow === "stop" ? { width: 104, height: 44, labelpos: "c" } : {});
  dagre.layout(graph);
  return graph;
}

function nodeMarkup({ kind, lines, scored }: DrawnNode, { x, y, width, height }: Place): string {
  const look = {
    fill: fills[kind],
    stroke: kind === "site" ? (scored ? colors.score : colors.backprop) : "#444",
    "stroke-width": kind === "site" ? 2 : 1.2,
  };
  const shape =
    kind === "site" || kind === "noise"
      ? el("ellipse", { cx: x, cy: y, rx: width / 2, ry: height / 2, ...look })
      : el("rect", { x: x - width / 2, y: y - height / 2, width, height, rx: kind === "cost" ? 12 : 3, ...look });
  const rows = lines.map((row, i) =>
    text(x, y + 4 + (i - (lines.length - 1) / 2) * 17, row, {
      "text-anchor": "middle",
      class: i === 0 ? "name" : "shape",
    }),
  );
  return shape + rows.join("");
}

function edgeMarkup({ flow }: DrawnEdge, points: readonly { x: number; y: number }[], id: string): string {
  const path =
    line<{ x: number; y: number }>(
      (p) => p.x,
      (p) => p.y,
    ).curve(curveBasis)(points as { x: number; y: number }[]) ?? "";
  const look = {
    d: path,
    fill: "none",
    stroke: colors[flow],
    "stroke-width": flow === "plain" ? 1.2 : 2,
    "marker-end": `url(#${id}-${flow})`,
  };
  const drawn = el("path", { ...look, "stroke-dasharray": flow === "stop" ? "5 4" : undefined });
  if (flow !== "stop") return drawn;
  const { x, y } = points[Math.floor(points.length / 2)] as { x: number; y: number };
  const bar = el("path", { d: `M${x - 5} ${y - 5}l10 10m0 -10l-10 10`, stroke: colors.stop, "stroke-width": 3 });
  return drawn + bar + text(x, y - 12, "backprop stops", { "text-anchor": "middle", class: "stop" });
}

/** From below the cost to below what the law of the random choice is made of. */
function scoreArc(cost: Place, to: Place, height: number, words: string, id: string): string {
  const floor = height + ARC - 26;
  const [x0, y0, x1, y1] = [cost.x, cost.y + cost.height / 2, to.x, to.y + to.height / 2];
  const path = `M${x0} ${y0 + 2}C${x0} ${floor},${x0 - 40} ${floor},${x0 - 90} ${floor}L${x1 + 90} ${floor}C${x1 + 40} ${floor},${x1} ${floor},${x1} ${y1 + 8}`;
  const look = {
    d: path,
    fill: "none",
    stroke: colors.score,
    "stroke-width": 2,
    "stroke-dasharray": "2 4",
    "marker-end": `url(#${id}-stop)`,
  };
  return el("path", look) + text((x0 + x1) / 2, floor + 18, words, { "text-anchor": "middle", class: "stop" });
}

function markers(id: string): string {
  const heads = (["backprop", "stop", "plain"] as const).map((flow) => {
    const shape = el("path", { d: "M0 0L8 4L0 8z", fill: colors[flow] });
    const place = {
      refX: 7.5,
      refY: 4,
      markerWidth: 8,
      markerHeight: 8,
      orient: "auto",
      markerUnits: "userSpaceOnUse",
    };
    return el("marker", { id: `${id}-${flow}`, ...place }, shape);
  });
  return el("defs", {}, ...heads);
}
