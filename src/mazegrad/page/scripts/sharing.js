// What is shared as a link: the maze, the weights and the mode, behind the # of the address, so that nothing is sent.

async function through(bytes, stream) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

function toBase64(bytes) {
  return btoa(String.fromCharCode(...bytes))
    .replace(/\+/g, "-")
    .replace(/\//g, "_")
    .replace(/=+$/, "");
}

function fromBase64(text) {
  return Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
}

/** Return what is shared as the part of an address behind #. */
export async function asFragment({ mode, map, net, lang }) {
  const bytes = new TextEncoder().encode(map);
  const packed =
    typeof CompressionStream === "undefined"
      ? `r${toBase64(bytes)}`
      : `z${toBase64(await through(bytes, new CompressionStream("deflate-raw")))}`;
  const weights = [...net.W.flat(), ...net.U.flat(), ...net.b, ...net.h0]
    .map((value) => Number(value.toFixed(4)))
    .join(",");
  return new URLSearchParams({ mode, map: packed, net: weights, lang }).toString();
}

/** Return what such a part holds; what is missing is undefined. */
export async function fromFragment(fragment) {
  const parts = new URLSearchParams(fragment);
  const found = { mode: parts.get("mode") ?? undefined, lang: parts.get("lang") ?? undefined };
  const map = parts.get("map");
  if (map) {
    const bytes = fromBase64(map.slice(1));
    found.map = new TextDecoder().decode(
      map[0] === "z" ? await through(bytes, new DecompressionStream("deflate-raw")) : bytes,
    );
  }
  const weights = parts.get("net")?.split(",").map(Number);
  if ([36, 40].includes(weights?.length) && weights.every((value) => Math.abs(value) <= 1e6)) {
    const row = (i) => weights.slice(4 * i, 4 * i + 4);
    found.net = {
      W: [0, 1, 2, 3].map(row),
      U: [4, 5, 6, 7].map(row),
      b: row(8),
      h0: weights.length === 40 ? row(9) : [1, 0, 0, 0],
    };
  }
  return found;
}
