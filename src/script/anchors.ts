/** What a worker makes sure of before it takes a shard: that its node sees the places of the plan. */

/** A folder that is there on the machine that plans, and has to be there on every node. */
export interface Anchor {
  readonly folder: string
  /** It does not lie on the file system that `/` is on. */
  readonly isMounted: boolean
}

/** Lines of a script's header: name, value, meaning. */
export function anchorSettings(
  anchors: readonly Anchor[],
): readonly (readonly [name: string, folders: readonly string[], meaning: string])[] {
  const mounted = anchors.filter(({ isMounted }) => isMounted)
  return [
    ['stands', anchors.map(({ folder }) => folder), 'folders that have to be on this node'],
    ['mounted', mounted.map(({ folder }) => folder), 'of these, on no disk of the node itself'],
  ]
}
