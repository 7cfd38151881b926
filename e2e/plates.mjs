// A gallery to import whose every number is known: plain gradients, each with a prompt of its own.
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { crc32, deflateSync } from "node:zlib";

const WIDTH = 96;
const HEIGHTS = [64, 96, 144];
const NOUNS = ["anchor", "bridge", "candle", "desert", "engine", "flute", "garden", "harbour", "island", "jacket"];
const PLACES = ["in the rain", "at noon", "under glass", "on a hill", "behind a curtain", "by the river", "at the market", "in a drawer", "on the roof", "in the snow", "at the fair", "below deck", "in a library"];

const chunk = (name, body) => {
  const whole = Buffer.concat([Buffer.from(name), body]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(body.length);
  check.writeUInt32BE(crc32(whole));
  return Buffer.concat([length, whole, check]);
};

/** A gradient as a PNG file. */
const png = (height, seed) => {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(WIDTH, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2], 8);
  const rows = [];
  for (let y = 0; y < height; y += 1) {
    const row = Buffer.alloc(1 + WIDTH * 3);
    for (let x = 0; x < WIDTH; x += 1) row.set([(x * 2 + seed * 37) % 256, (y * 2 + seed * 71) % 256, (x + y + seed * 113) % 256], 1 + x * 3);
    rows.push(row);
  }
  return Buffer.concat([Buffer.from([137, 80, 78, 71, 13, 10, 26, 10]), chunk("IHDR", head), chunk("IDAT", deflateSync(Buffer.concat(rows))), chunk("IEND", Buffer.alloc(0))]);
};

/**
 * Writes `count` pictures and the list of them; returns the path of the list. A third each is landscape,
 * square and portrait; even ones are by the model `even`, odd ones by `odd`; every fifth is a Poster, the rest are Photos.
 */
export const writePlates = async (folder, count) => {
  await mkdir(folder, { recursive: true });
  const lines = [];
  for (let n = 0; n < count; n += 1) {
    await writeFile(join(folder, `${n}.png`), png(HEIGHTS[n % 3], n));
    lines.push(JSON.stringify({
      id: `plate-${String(n).padStart(3, "0")}`, prompt: `a paper ${NOUNS[n % 10]} ${PLACES[Math.floor(n / 10) % PLACES.length]}, number ${n}`, title: `Plate ${n}`, image: `${n}.png`,
      author: "printer", model: n % 2 ? "odd" : "even", category: n % 5 ? "Photo" : "Poster", likes: count - n, date: "2026-02-01",
    }));
  }
  const list = join(folder, "plates.jsonl");
  await writeFile(list, lines.join("\n"));
  return list;
};
