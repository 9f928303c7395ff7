// Which groups are around which nodes.

/** For groups of {id, nodes, parent, closed}: what is around a node or a group, by id. */
export function nestingOf(groups) {
  const byId = new Map(groups.map((group) => [group.id, group]));
  const home = new Map(groups.flatMap((group) => group.nodes.map((node) => [node, group])));
  /** The group directly around a node or a group. */
  const homeOf = (id) => home.get(id) ?? byId.get(byId.get(id)?.parent);
  /** All groups around it, outermost first. */
  const around = (id) => {
    const group = homeOf(id);
    return group ? [...around(group.id), group] : [];
  };
  /** The outermost closed group around it, or undefined where it is seen itself. */
  const standsFor = (id) => around(id).find(({closed}) => closed);
  return {homeOf, around, standsFor};
}
