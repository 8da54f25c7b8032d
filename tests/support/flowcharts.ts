// Reads the flowcharts of docs/flowcharts (Mermaid `flowchart TD`, the part of its language that
// they use) and compares walked paths with them. A walk starts behind the start node `hook_fired`
// (or at another entry that the table of charts names), passes decisions with the answer that the
// edge is labelled with, and ends at an end node, at a defer node, or where nothing follows.

import { present } from '../../lib/base/present.ts';
import type { WalkEnd, WalkedNode } from '../../lib/juju/walk.ts';

/** `round`: start and end nodes, `([…])`; `defer`: `>…]`; `decision`: `{…}`; `step`: `[…]`. */
export type Shape = 'round' | 'defer' | 'decision' | 'step';

export interface ChartNode {
  readonly id: string;
  readonly shape: Shape;
  readonly text: string;
}

export interface ChartEdge {
  readonly from: string;
  readonly to: string;
  readonly label?: string;
}

export interface Chart {
  readonly nodes: ReadonlyMap<string, ChartNode>;
  readonly edges: readonly ChartEdge[];
}

export interface CheckedPath {
  /** Why the path is not one of the chart; absent when it is. */
  readonly problem?: string;
  /** The edges passed, as `edgeKey` gives them. */
  readonly edges: ReadonlySet<string>;
}

export const startNode = 'hook_fired';

/** `from -- label --> to`, as it is drawn. */
export function edgeKey(edge: ChartEdge): string {
  return edge.label === undefined
    ? `${edge.from} --> ${edge.to}`
    : `${edge.from} -- ${edge.label} --> ${edge.to}`;
}

/** Parses a chart; throws when a line is none of the language's, or a node has no shape. */
export function parseChart(text: string): Chart {
  const [head = '', ...lines] = text.split('\n').map((line) => line.trim());
  if (head !== 'flowchart TD')
    throw new Error(`a flowchart starts with "flowchart TD", not "${head}"`);
  const nodes = new Map<string, ChartNode>();
  const edges: ChartEdge[] = [];
  for (const line of lines) {
    if (line === '' || line.startsWith('%%')) continue;
    const [, from, label, to] = /^(.+?)\s*(?:--\s+(\S+)\s+)?-->\s*(.+)$/.exec(line) ?? [];
    if (from === undefined || to === undefined) throw new Error(`cannot read the line "${line}"`);
    edges.push({
      from: addNode(nodes, from),
      to: addNode(nodes, to),
      ...(label === undefined ? {} : { label }),
    });
  }
  refuseUnknown(nodes, edges);
  return { nodes, edges };
}

const shapes: readonly { readonly shape: Shape; readonly form: RegExp }[] = [
  { shape: 'round', form: /^(\w+)\(\[(.*)\]\)$/ },
  { shape: 'defer', form: /^(\w+)>(.*)\]$/ },
  { shape: 'decision', form: /^(\w+)\{(.*)\}$/ },
  { shape: 'step', form: /^(\w+)\[(.*)\]$/ },
];

function addNode(nodes: Map<string, ChartNode>, written: string): string {
  if (/^\w+$/.test(written)) return written;
  for (const { shape, form } of shapes) {
    const [, id, text] = form.exec(written) ?? [];
    if (id === undefined || text === undefined) continue;
    if (nodes.has(id)) throw new Error(`node "${id}" is described twice`);
    nodes.set(id, { id, shape, text: text.replaceAll(/(?:\\n|\s)+/g, ' ').trim() });
    return id;
  }
  throw new Error(`cannot read the node "${written}"`);
}

function refuseUnknown(nodes: ReadonlyMap<string, ChartNode>, edges: readonly ChartEdge[]): void {
  for (const id of edges.flatMap(({ from, to }) => [from, to])) {
    if (!nodes.has(id)) throw new Error(`node "${id}" is described nowhere`);
  }
}

/**
 * Whether the walked nodes are a path from the entry. End and defer nodes may be left out of the
 * walk. A path that was cut short may end anywhere; one whose handler deferred its event must
 * end at a defer node, and only such a one may.
 */
export function checkPath(
  chart: Chart,
  path: readonly WalkedNode[],
  options: { readonly entry?: string; readonly end?: WalkEnd } = {},
): CheckedPath {
  const { entry = startNode, end = 'return' } = options;
  const begun = beginAt(entry, path);
  if ('problem' in begun) return { problem: begun.problem, edges: new Set() };
  const edges: ChartEdge[] = [];
  let last = begun.first;
  for (const next of begun.rest) {
    const way = findWay(chart, last, next.node);
    if (way === undefined) return { problem: noWay(chart, last, next.node), edges: keysOf(edges) };
    edges.push(...way);
    last = next;
  }
  const ending = isCutShort(end) ? [] : findEnd(chart, last);
  const problem = endProblem(chart, { last, end: ending, ended: end });
  return { ...present({ problem }), edges: keysOf([...edges, ...(ending ?? [])]) };
}

function isCutShort(end: WalkEnd): boolean {
  return end === 'failed' || end === 'stopped';
}

function keysOf(edges: readonly ChartEdge[]): ReadonlySet<string> {
  return new Set(edges.map(edgeKey));
}

type Beginning =
  | { readonly first: WalkedNode; readonly rest: readonly WalkedNode[] }
  | { readonly problem: string };

/** A walk does not name the start node, but any other entry. */
function beginAt(entry: string, path: readonly WalkedNode[]): Beginning {
  if (entry === startNode) return { first: { node: startNode }, rest: path };
  const [first, ...rest] = path;
  if (first?.node === entry) return { first, rest };
  return { problem: `the walk starts at "${first?.node}", not at "${entry}"` };
}

function endProblem(
  chart: Chart,
  walk: {
    readonly last: WalkedNode;
    readonly end: readonly ChartEdge[] | undefined;
    readonly ended: WalkEnd;
  },
): string | undefined {
  const { last, end, ended } = walk;
  if (isCutShort(ended)) return undefined;
  if (end === undefined) return `the walk ends at ${show(last)}, where the chart goes on`;
  const passed = [last.node, ...end.map(({ to }) => to)];
  const drawnDefer = passed.some((node) => chart.nodes.get(node)?.shape === 'defer');
  if (drawnDefer === (ended === 'defer')) return undefined;
  return drawnDefer
    ? `the chart defers at ${show(last)}, the handler did not`
    : `the handler deferred its event at ${show(last)}, the chart does not`;
}

/** The edges to the next walked node; only end and defer nodes may lie between. */
function findWay(chart: Chart, from: WalkedNode, to: string): readonly ChartEdge[] | undefined {
  for (const edge of leaving(chart, from)) {
    if (edge.to === to) return [edge];
    const on = isSilent(chart, edge.to) ? findWay(chart, { node: edge.to }, to) : undefined;
    if (on !== undefined) return [edge, ...on];
  }
  return undefined;
}

/** The edges to where the handler may return; empty when it is there already. */
function findEnd(chart: Chart, from: WalkedNode): readonly ChartEdge[] | undefined {
  const ways = leaving(chart, from);
  if (ways.length === 0) return [];
  for (const edge of ways) {
    const on = isSilent(chart, edge.to) ? findEnd(chart, { node: edge.to }) : undefined;
    if (on !== undefined) return [edge, ...on];
  }
  return undefined;
}

function leaving(chart: Chart, { node, answer }: WalkedNode): readonly ChartEdge[] {
  const wanted = answer === undefined ? undefined : answer ? 'yes' : 'no';
  return chart.edges.filter(
    (edge) => edge.from === node && (edge.label === undefined || edge.label === wanted),
  );
}

function isSilent(chart: Chart, node: string): boolean {
  const shape = chart.nodes.get(node)?.shape;
  return shape === 'round' || shape === 'defer';
}

function noWay(chart: Chart, here: WalkedNode, next: string): string {
  if (!chart.nodes.has(next)) return `the chart has no node "${next}"`;
  return `no edge leads from ${show(here)} to "${next}"`;
}

function show({ node, answer }: WalkedNode): string {
  return answer === undefined ? `"${node}"` : `"${node}=${answer ? 'yes' : 'no'}"`;
}

/**
 * What a chart of the specification draws and its extended copy does not: nodes with their shape
 * and text, and edges. Empty when the copy extends and never contradicts.
 */
export function missingFrom(copy: Chart, original: Chart): readonly string[] {
  const drawn = new Set(copy.edges.map(edgeKey));
  const nodes = [...original.nodes.values()].filter(({ id, shape, text }) => {
    const own = copy.nodes.get(id);
    return own?.shape !== shape || own.text !== text;
  });
  return [
    ...nodes.map(({ id, shape, text }) => `node ${id} (${shape}, "${text}")`),
    ...original.edges.map(edgeKey).filter((edge) => !drawn.has(edge)),
  ];
}
