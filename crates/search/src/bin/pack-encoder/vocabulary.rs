//! This owns reading the published vocabulary (a protocol-buffers message) and sorting it for the library.
//! It does not split text.

use crate::Result;
use crate::writer::Writer;

/// Fields of the message, by the published schema.
const MODEL_PIECE: u32 = 1;
const MODEL_NORMALIZER: u32 = 3;
const PIECE_TEXT: u32 = 1;
const PIECE_SCORE: u32 = 2;
const PIECE_KIND: u32 = 3;
const NORMALIZER_CHARSMAP: u32 = 2;
/// The kind of a piece that text can contain; the others are marks.
const KIND_NORMAL: u64 = 1;

/// One field of a message.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

struct Piece<'a> {
    text: &'a [u8],
    score: [u8; 4],
    number: u32,
}

/// Adds the sections of the vocabulary.
pub(crate) fn add(model: &[u8], writer: &mut Writer) -> Result<()> {
    let fields = fields(model).ok_or("the vocabulary is damaged")?;
    let mut pieces = Vec::new();
    let messages = fields.iter().filter_map(|(field, value)| bytes_of(*field, value, MODEL_PIECE));
    for (number, message) in messages.enumerate() {
        pieces.extend(read_piece(message, u32::try_from(number)?)?);
    }
    pieces.sort_unstable_by_key(|piece| piece.text);

    let mut bounds = vec![0_u32];
    let mut text = Vec::new();
    for piece in &pieces {
        text.extend_from_slice(piece.text);
        bounds.push(u32::try_from(text.len())?);
    }
    writer.add("pieces", text);
    writer.add("bounds", bounds.iter().flat_map(|bound| bound.to_le_bytes()).collect());
    writer.add("scores", pieces.iter().flat_map(|piece| piece.score).collect());
    writer.add("numbers", pieces.iter().flat_map(|piece| piece.number.to_le_bytes()).collect());

    let normalizer = fields.iter().find_map(|(field, value)| bytes_of(*field, value, MODEL_NORMALIZER));
    let normalizer = self::fields(normalizer.ok_or("the vocabulary has no normaliser")?);
    let normalizer = normalizer.ok_or("the normaliser is damaged")?;
    let charsmap = normalizer.iter().find_map(|(field, value)| bytes_of(*field, value, NORMALIZER_CHARSMAP));
    writer.add("charsmap", charsmap.ok_or("the normaliser has no table")?.to_vec());
    Ok(())
}

/// The piece, unless it is a mark.
fn read_piece(message: &[u8], number: u32) -> Result<Option<Piece<'_>>> {
    let mut piece = Piece { text: &[], score: [0; 4], number };
    for (field, value) in fields(message).ok_or("a piece of the vocabulary is damaged")? {
        match (field, value) {
            (PIECE_TEXT, Value::Bytes(text)) => piece.text = text,
            (PIECE_SCORE, Value::Bytes(score)) => piece.score = score.try_into()?,
            (PIECE_KIND, Value::Number(kind)) if kind != KIND_NORMAL => return Ok(None),
            _ => {}
        }
    }
    Ok(Some(piece))
}

fn bytes_of<'a>(field: u32, value: &Value<'a>, wanted: u32) -> Option<&'a [u8]> {
    match value {
        Value::Bytes(bytes) if field == wanted => Some(bytes),
        _ => None,
    }
}

/// The fields of a message in order; none where it is not one.
fn fields(mut message: &[u8]) -> Option<Vec<(u32, Value<'_>)>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let tag = read_number(&mut message)?;
        let value = match tag & 7 {
            0 => Value::Number(read_number(&mut message)?),
            1 => Value::Bytes(message.split_off(..8)?),
            2 => {
                let length = usize::try_from(read_number(&mut message)?).ok()?;
                Value::Bytes(message.split_off(..length)?)
            }
            5 => Value::Bytes(message.split_off(..4)?),
            _ => return None,
        };
        fields.push((u32::try_from(tag >> 3).ok()?, value));
    }
    Some(fields)
}

/// A number in groups of 7 bits, lowest first.
fn read_number(message: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = *message.split_off_first()?;
        number |= u64::from(byte & 0x7F) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}
