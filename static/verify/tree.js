// The Merkle tree (RFC 6962, section 2.1): roots from proofs, by the recursion of the definition read backwards.

const leafHash = (entry) => sha256(join(Uint8Array.of(0), entry));
const nodeHash = (left, right) => sha256(join(Uint8Array.of(1), left, right));

/** The largest power of two below `size`. Sizes reach 2^53, so no bit operations. */
function split(size) {
  let k = 1;
  while (k * 2 < size) k *= 2;
  return k;
}

/** The root that an audit path leads to; null where the path is too long or too short. */
async function rootOfPath(index, size, leaf, path) {
  if (index >= size) return null;
  if (size === 1) return path.length === 0 ? leaf : null;
  if (path.length === 0) return null;
  const k = split(size);
  const sibling = path[path.length - 1];
  const rest = path.slice(0, -1);
  const inner = index < k ? await rootOfPath(index, k, leaf, rest) : await rootOfPath(index - k, size - k, leaf, rest);
  if (!inner) return null;
  return index < k ? nodeHash(inner, sibling) : nodeHash(sibling, inner);
}

/** Roots of the older and the newer tree as the proof has them; `whole` while the old tree is whole within this one. */
async function rootsOfProof(old, size, proof, oldRoot, whole) {
  if (old === size) {
    if (whole) return proof.length === 0 ? [oldRoot, oldRoot] : null;
    return proof.length === 1 ? [proof[0], proof[0]] : null;
  }
  if (proof.length === 0) return null;
  const k = split(size);
  const other = proof[proof.length - 1];
  const rest = proof.slice(0, -1);
  if (old <= k) {
    const roots = await rootsOfProof(old, k, rest, oldRoot, whole);
    return roots && [roots[0], await nodeHash(roots[1], other)];
  }
  const roots = await rootsOfProof(old - k, size - k, rest, oldRoot, false);
  return roots && [await nodeHash(other, roots[0]), await nodeHash(other, roots[1])];
}

/** Whether the tree of `size` continues the tree of `old`, which is smaller and not empty. */
async function continues(old, oldRoot, size, root, proof) {
  const roots = await rootsOfProof(old, size, proof, oldRoot, true);
  return roots !== null && same(roots[0], oldRoot) && same(roots[1], root);
}
