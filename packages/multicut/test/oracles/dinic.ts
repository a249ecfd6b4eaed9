/**
 * Maximum flow by Dinic's blocking flows, straight from the textbook: the oracle of the solver's tests. Capacities must add
 * up exactly (integers).
 */
export function dinic(
  size: number,
  edges: readonly (readonly [number, number, number])[],
  source: number,
  sink: number,
) {
  const arcs: { to: number; room: number; twin: number }[] = [];
  const out: number[][] = Array.from({ length: size }, () => []);
  for (const [a, b, capacity] of edges) {
    out[a]!.push(arcs.length);
    arcs.push({ to: b, room: capacity, twin: arcs.length + 1 });
    out[b]!.push(arcs.length);
    arcs.push({ to: a, room: capacity, twin: arcs.length - 1 });
  }
  let flow = 0;
  for (;;) {
    const level = levels();
    if (level[sink] === -1) return { flow, side: level.map((l) => l >= 0) };
    const next = out.map(() => 0);
    for (let sent = push(source, Infinity); sent > 0; sent = push(source, Infinity)) flow += sent;

    function push(v: number, limit: number): number {
      if (v === sink) return limit;
      for (; next[v]! < out[v]!.length; next[v]!++) {
        const arc = arcs[out[v]![next[v]!]!]!;
        if (arc.room === 0 || level[arc.to] !== level[v]! + 1) continue;
        const sent = push(arc.to, Math.min(limit, arc.room));
        if (sent === 0) continue;
        arc.room -= sent;
        arcs[arc.twin]!.room += sent;
        return sent;
      }
      return 0;
    }
  }

  function levels(): number[] {
    const level = out.map(() => -1);
    level[source] = 0;
    const queue = [source];
    for (const v of queue) {
      for (const a of out[v]!) {
        const { to, room } = arcs[a]!;
        if (room === 0 || level[to] !== -1) continue;
        level[to] = level[v]! + 1;
        queue.push(to);
      }
    }
    return level;
  }
}
