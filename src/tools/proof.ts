/** How an entry at the destination is proven to be the source's: what a verify stage compares. */

/**
 * `size`: name, kind and size. `size+mtime`: and modification time in whole seconds, the finest that every file
 * system on the way keeps. `checksum`: content hashes of both sides. `download`: both sides read again and compared.
 */
export type ProofKind = 'none' | 'size' | 'size+mtime' | 'checksum' | 'download'
