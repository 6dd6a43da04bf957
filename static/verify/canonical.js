// Canonical JSON (RFC 8785) without fractions. What is read is written again and compared, so there is one spelling only.

const DEEPEST = 64;

function canonical(value, file, depth = 0) {
  if (value === null || typeof value === "boolean") return String(value);
  if (typeof value === "number") {
    must(Number.isInteger(value) && Math.abs(value) <= 2 ** 53, file, "It holds a number that is not a whole number of at most 2^53.");
    return String(value === 0 ? 0 : value);
  }
  if (typeof value === "string") {
    must(!/\p{Surrogate}/u.test(value), file, "It holds half a character.");
    return JSON.stringify(value);
  }
  must(depth < DEEPEST, file, "It is nested too deeply.");
  if (Array.isArray(value)) return `[${value.map((item) => canonical(item, file, depth + 1)).join(",")}]`;
  // Names sort by UTF-16 code units (section 3.2.3), which is what sort() compares.
  const names = Object.keys(value).sort();
  return `{${names.map((name) => `${canonical(name, file)}:${canonical(value[name], file, depth + 1)}`).join(",")}}`;
}

/** Parses a file that `spell` must give back byte for byte. */
function readJson(bytes, file, spell) {
  const text = textOf(bytes, file);
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse(file, "It is not JSON.");
  }
  must(value !== null && typeof value === "object" && !Array.isArray(value), file, "It is not a JSON object.");
  must(text === spell(value), file, "It is not in the one form that is allowed (canonical JSON).");
  return value;
}

const hasOnly = (value, ...names) =>
  value !== null && typeof value === "object" && !Array.isArray(value) && Object.keys(value).sort().join() === names.sort().join();
