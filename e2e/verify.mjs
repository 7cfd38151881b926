// Checks receipts of deletions without any code of the program: signature, commitment, place in the public log.
//
//   node e2e/verify.mjs --key KEY [--log https://example.org/log] RECEIPT...
//
// One line for each receipt, `good` or `bad` with the reason; ends with 0, 1 where one is bad, 2 where it was asked wrongly.
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFile } from "node:fs/promises";

const PROOF = "\nc2sp.org/tlog-proof@v1\n";
const BUNDLE = 256;
const ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz";
const sha256 = (...parts) => createHash("sha256").update(Buffer.concat(parts)).digest();
const leaf = (entry) => sha256(Buffer.from([0]), entry);
const node = (left, right) => sha256(Buffer.from([1]), left, right);
const demand = (holds, why) => {
  if (!holds) throw new Error(why);
};

/** Base64 in its one proper form. */
const base64 = (text, bytes) => {
  const found = Buffer.from(text ?? "", "base64");
  demand(found.toString("base64") === text && (!bytes || found.length === bytes), "something is not base64");
  return found;
};

/** An id of 26 characters is 128 bits behind two bits of zero. */
const id = (text) => {
  demand(/^[0-9a-hjkmnp-tv-z]{26}$/.test(text), "a record has no proper id");
  const bits = [...text].map((c) => ALPHABET.indexOf(c).toString(2).padStart(5, "0")).join("");
  demand(/^0*$/.test(bits.slice(128)), "a record has no proper id");
  return Buffer.from(bits.slice(0, 128).match(/.{8}/g).map((byte) => Number.parseInt(byte, 2)));
};

const number = (text) => {
  demand(/^(0|[1-9]\d*)$/.test(text ?? ""), "a number is missing");
  return BigInt(text);
};

/** A public key, from its text: name, id, and the key behind the byte that says Ed25519. */
const readKey = (text) => {
  const [, name, hint, encoded] = text.match(/^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/) ?? [];
  demand(name, "the key is not of the form NAME+ID+KEY");
  const key = base64(encoded, 33);
  demand(key[0] === 1 && keyId(name, key) === hint, "the key is damaged");
  return key;
};
const keyId = (name, key) => sha256(Buffer.from(`${name}\n`), key).subarray(0, 4).toString("hex");

/** The text of a signed note, once a signature of this key holds. */
const open = (note, key) => {
  const at = note.lastIndexOf("\n\n");
  demand(at >= 0 && note.endsWith("\n"), "it is not a signed note");
  const [text, signatures] = [note.slice(0, at + 1), note.slice(at + 2).trimEnd().split("\n")];
  const spki = Buffer.concat([Buffer.from("302a300506032b6570032100", "hex"), key.subarray(1)]);
  const publicKey = createPublicKey({ key: spki, format: "der", type: "spki" });
  const holds = signatures.some((line) => {
    const [, name, encoded] = line.match(/^— ([^\s+]+) (\S+)$/) ?? [];
    const bytes = Buffer.from(encoded ?? "", "base64");
    const own = name && bytes.toString("base64") === encoded && bytes.subarray(0, 4).toString("hex") === keyId(name, key);
    return own && verify(null, Buffer.from(text), publicKey, bytes.subarray(4));
  });
  demand(holds, "no signature of this key holds");
  return text.split("\n").slice(0, -1);
};

/** The head that a leaf leads to by its path, in a tree of a size: RFC 9162, 2.1.3.2. */
const climb = (hash, index, size, path) => {
  demand(index < size, "the log is smaller than the index");
  let [fn, sn, head] = [index, size - 1n, hash];
  for (const sibling of path) {
    demand(sn > 0n, "the path is too long");
    if (fn & 1n || fn === sn) {
      head = node(sibling, head);
      while (!(fn & 1n) && fn) [fn, sn] = [fn >> 1n, sn >> 1n];
    } else head = node(head, sibling);
    [fn, sn] = [fn >> 1n, sn >> 1n];
  }
  demand(sn === 0n, "the path is too short");
  return head;
};

const checkReceipt = (text, key) => {
  const [, erased, epoch, commitment, nonce, ...records] = open(text, key);
  const field = (line, name) => {
    demand(line?.startsWith(`${name} `), `the line of ${name} is missing`);
    return line.slice(name.length + 1);
  };
  const when = field(erased, "erased");
  const time = Date.parse(when) / 1000;
  demand(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/.test(when) && Number.isInteger(time), "the time is damaged");
  const numbers = Buffer.alloc(16);
  numbers.writeBigUInt64BE(number(field(epoch, "epoch")), 0);
  numbers.writeBigInt64BE(BigInt(time), 8);
  const ids = records.map((line) => id(field(line, "record"))).sort(Buffer.compare);
  demand(ids.length > 0, "it names no record");
  const found = sha256(Buffer.from("safelight erasure 1\n"), base64(field(nonce, "nonce"), 32), numbers, ...ids);
  demand(found.equals(base64(field(commitment, "commitment"), 32)), "the commitment is of something else");
  return { commitment: found, when, count: ids.length };
};

const checkProof = (commitment, proof, key) => {
  const at = proof.indexOf("\n\n");
  demand(at >= 0, "the proof has no checkpoint");
  const [first, ...path] = proof.slice(0, at).split("\n");
  demand(first.startsWith("index "), "the proof has no index");
  const [, size, head] = open(proof.slice(at + 2), key);
  const index = number(first.slice(6));
  const found = climb(leaf(commitment), index, number(size), path.map((hash) => base64(hash, 32)));
  demand(found.equals(base64(head, 32)), "the path does not lead to the signed head");
  return { index, size: number(size), head: found };
};

/** The whole log, from its tiles: every entry, and the head that follows from them. */
const readLog = async (base, key) => {
  const get = async (path) => {
    const answer = await fetch(`${base}/${path}`);
    demand(answer.ok, `${path} is answered with ${answer.status}`);
    return Buffer.from(await answer.arrayBuffer());
  };
  const [, size, head] = open((await get("checkpoint")).toString(), key);
  const bundles = Number(number(size)) / BUNDLE;
  demand(Number.isInteger(bundles), "the log does not consist of whole bundles");
  const entries = [];
  const heads = [];
  for (let n = 0; n < bundles; n += 1) {
    const groups = String(n).padStart(Math.ceil(String(n).length / 3) * 3, "0").match(/.{3}/g);
    const path = groups.map((group, at) => (at + 1 < groups.length ? `x${group}` : group)).join("/");
    const bundle = await get(`tile/entries/${path}`);
    demand(bundle.length === BUNDLE * 34, "a bundle has a wrong length");
    const own = Array.from({ length: BUNDLE }, (_, at) => bundle.subarray(at * 34 + 2, (at + 1) * 34));
    demand(Buffer.concat(own.map(leaf)).equals(await get(`tile/0/${path}`)), "a tile does not fit its entries");
    own.forEach((entry) => entries.push(entry.toString("hex")));
    heads.push(treeHead(own.map(leaf)));
  }
  demand(treeHead(heads).equals(base64(head, 32)), "the entries do not lead to the signed head");
  return { entries, heads };
};
/** The log that is served has to be the one that a receipt was completed with, grown or not. */
const sameLog = ({ entries, heads }, { index, size, head }, commitment) => {
  demand(size <= BigInt(entries.length), "the log is smaller than when the receipt was completed");
  demand(size % BigInt(BUNDLE) === 0n, "the log did not consist of whole bundles");
  const then = treeHead(heads.slice(0, Number(size) / BUNDLE));
  demand(then.equals(head), "the log is another one than the receipt was completed with");
  demand(entries[Number(index)] === commitment.toString("hex"), "the log has something else in its place");
};
const treeHead = (hashes) => {
  if (hashes.length < 2) return hashes[0] ?? sha256();
  const half = 2 ** Math.ceil(Math.log2(hashes.length) - 1);
  return node(treeHead(hashes.slice(0, half)), treeHead(hashes.slice(half)));
};

const check = async (file, key, log) => {
  const text = `${(await readFile(file, "utf8")).replaceAll("\r\n", "\n").trim()}\n`;
  const at = text.indexOf(PROOF);
  const receipt = checkReceipt(at < 0 ? text : text.slice(0, at), key);
  const said = [`${receipt.count} erased ${receipt.when}`];
  const proof = at >= 0 ? checkProof(receipt.commitment, text.slice(at + PROOF.length), key) : null;
  if (proof) said.push(`entry ${proof.index} of ${proof.size}`);
  if (log && proof) sameLog(log, proof, receipt.commitment);
  if (log) {
    const there = log.entries.includes(receipt.commitment.toString("hex"));
    demand(there, "the log does not have it (it comes within an hour)");
    said.push(`in the log of ${log.entries.length} entries`);
  }
  return said.join(", ");
};

const args = process.argv.slice(2);
const option = (name) => {
  const at = args.indexOf(name);
  return at < 0 ? null : args.splice(at, 2)[1];
};
const [keyText, base] = [option("--key"), option("--log")];
if (!keyText || args.length === 0) {
  console.error("node e2e/verify.mjs --key KEY [--log https://example.org/log] RECEIPT...");
  process.exit(2);
}
try {
  const key = readKey(keyText);
  const log = base ? await readLog(base.replace(/\/$/, ""), key) : null;
  for (const file of args) {
    await check(file, key, log).then(
      (said) => console.log(`good ${file}: ${said}`),
      (error) => {
        console.log(`bad ${file}: ${error.message}`);
        process.exitCode = 1;
      },
    );
  }
} catch (error) {
  console.error(error.message);
  process.exitCode = 2;
}
