//! This owns reading what the operator types or pipes into a command.

use std::io::{self, BufRead, IsTerminal, Read, Write};

use kernel::{Error, Result};

/// Bytes of a line.
const LINE_BYTES_MAX: u64 = 4096;
/// Bytes of many lines: more than the most vouchers that are made at a time.
const LINES_BYTES_MAX: u64 = 512 * 1024;

/// One line, without what surrounds it.
pub(super) fn line(question: &str) -> Result<String> {
    let mut input = asked(question)?.take(LINE_BYTES_MAX);
    let mut line = Vec::new();
    input.read_until(b'\n', &mut line)?;
    Ok(text(line)?.trim().to_owned())
}

/// Every line that is not empty.
pub(super) fn lines(question: &str) -> Result<Vec<String>> {
    let mut input = asked(question)?.take(LINES_BYTES_MAX + 1);
    let mut all = Vec::new();
    input.read_to_end(&mut all)?;
    if all.len() as u64 > LINES_BYTES_MAX {
        return Err(Error::invalid("input", "These are too many lines at a time. Nothing was changed."));
    }
    let all = text(all)?;
    Ok(all.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect())
}

/// Standard input, after the question where someone sits before it.
fn asked(question: &str) -> Result<io::StdinLock<'static>> {
    let input = io::stdin().lock();
    if input.is_terminal() {
        let mut terminal = io::stderr();
        write!(terminal, "{question}: ")?;
        terminal.flush()?;
    }
    Ok(input)
}

fn text(bytes: Vec<u8>) -> Result<String> {
    String::from_utf8(bytes)
        .map_err(|_| Error::invalid("input", "What came from standard input is not text."))
}
