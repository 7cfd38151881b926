use std::io::{BufRead, Write};
fn main() {
    let t = std::time::Instant::now();
    let bytes = std::fs::read("vendor/pack/encoder.bin").unwrap();
    let r = t.elapsed();
    let t = std::time::Instant::now();
    let e = search::meaning::Encoder::from_bytes(bytes).unwrap();
    eprintln!("read {:?} open {:?}", r, t.elapsed());
    let mut out = std::io::BufWriter::new(std::fs::File::create("/tmp/rust.f32").unwrap());
    let lines: Vec<String> = std::io::stdin().lock().lines().map(|l| serde_json::from_str(&l.unwrap()).unwrap()).collect();
    let t = std::time::Instant::now();
    let mut n = 0;
    for l in &lines {
        let v = e.encode(l);
        n += 1;
        for x in v.values() { out.write_all(&x.to_le_bytes()).unwrap(); }
    }
    eprintln!("{n} texts {:?}", t.elapsed());
}
