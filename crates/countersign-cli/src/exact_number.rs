//! Numbers that would be written as others: JSON knows any number, a program 64 bits of it (RFC 8259 §6).
//!
//! What is read as one number and signed as another one is a claim that nobody made, so it is refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// Refuses a JSON text with such a number in it, in words for whoever wrote it.
pub(crate) fn check(json: &str) -> Result<(), String> {
    let Some(at) = inexact(json) else {
        return Ok(());
    };
    let (line, column) = line_and_column(json, at);
    Err(format!(
        "the number at line {line}, column {column} has more digits than 64 bits or a double hold, and would become another one: write it as text, in quotation marks"
    ))
}

/// What to say where the claims of a token are shown that hold such a number.
pub(crate) fn warning(token: &str) -> Option<String> {
    let payload = token.split('.').nth(1)?;
    let json = String::from_utf8(URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    let at = inexact(&json)?;
    let (line, column) = line_and_column(&json, at);
    Some(format!(
        "the number at line {line}, column {column} of the payload has more digits than 64 bits or a double hold: it is shown as another one, and verifiers read it so"
    ))
}

/// The first number of a JSON text, by its place in octets, that neither 64 bits nor a double hold exactly as written.
///
/// The text has been read as JSON before: what stands outside its strings is numbers, names and marks.
fn inexact(json: &str) -> Option<usize> {
    let mut at = 0;
    let mut rest = json;
    while let Some(letter) = rest.chars().next() {
        let length = match letter {
            '"' => string_length(rest),
            '-' | '0'..='9' => {
                let number = number(rest);
                if !is_exact(number) {
                    return Some(at);
                }
                number.len()
            }
            _ => letter.len_utf8(),
        };
        at = length.saturating_add(at);
        rest = rest.get(length..).unwrap_or_default();
    }
    None
}

/// The line and the column of a place, both from 1.
fn line_and_column(json: &str, at: usize) -> (usize, usize) {
    let before = json.get(..at).unwrap_or(json);
    let line = before.matches('\n').count().saturating_add(1);
    let column = before
        .rsplit('\n')
        .next()
        .map_or(0, |line| line.chars().count());
    (line, column.saturating_add(1))
}

/// The string at the start of the text, with both its quotation marks.
fn string_length(text: &str) -> usize {
    let mut escaped = true;
    for (at, letter) in text.char_indices() {
        match letter {
            // The mark that opens it counts as escaped.
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at.saturating_add(1),
            _ => {}
        }
    }
    text.len()
}

/// The number at the start of the text.
fn number(text: &str) -> &str {
    let is_part = |letter: char| letter.is_ascii_digit() || "+-.eE".contains(letter);
    let end = text.find(|letter| !is_part(letter)).unwrap_or(text.len());
    text.get(..end).unwrap_or(text)
}

/// Whether the number survives: as 64 bits, or as the double that is nearest to it, written in the fewest digits.
fn is_exact(number: &str) -> bool {
    if number.parse::<i64>().is_ok() || number.parse::<u64>().is_ok() {
        return true;
    }
    let Ok(double) = number.parse::<f64>() else {
        return false;
    };
    double.is_finite() && decimal(number) == decimal(&format!("{double:e}"))
}

/// A number as its sign, its digits without zeros at either end, and the power of ten of the last of them.
fn decimal(number: &str) -> Option<(bool, String, i64)> {
    let (negative, number) = match number.strip_prefix('-') {
        Some(number) => (true, number),
        None => (false, number),
    };
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i64>().ok()?),
        None => (number, 0),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = [whole, fraction].concat();
    let kept = digits.trim_end_matches('0');
    let dropped = digits.len().saturating_sub(kept.len());
    let significant = kept.trim_start_matches('0');
    if significant.is_empty() {
        return Some((false, String::new(), 0));
    }
    let power = exponent
        .checked_sub(i64::try_from(fraction.len()).ok()?)?
        .checked_add(i64::try_from(dropped).ok()?)?;
    Some((negative, significant.to_owned(), power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_numbers_that_are_written_as_they_were_read() {
        for number in [
            "0",
            "-0",
            "-0.0",
            "1",
            "18446744073709551615",
            "-9223372036854775808",
            "0.1",
            "0.10",
            "1.0",
            "1e2",
            "1E+2",
            "100e-2",
            "1795359845.123",
            "123456789012345680000",
            "1e300",
            "5e-324",
            "3.141592653589793",
            "0e999999999999999999",
        ] {
            assert_eq!(inexact(&format!("[{number}]")), None, "{number}");
        }
    }

    #[test]
    fn rejects_numbers_that_would_be_written_as_others() {
        for number in [
            "18446744073709551616.5",
            "18446744073709551617",
            "-9223372036854775809",
            "123456789012345678901234567890",
            "0.1234567890123456789",
            "3.14159265358979323846",
            "1e-400",
            "1e400",
            "9007199254740993.5",
        ] {
            assert_eq!(inexact(&format!("{{\"a\":{number}}}")), Some(5), "{number}");
        }
    }

    #[test]
    fn digits_in_strings_and_names_are_no_numbers() {
        let long = "123456789012345678901234567890";
        for json in [
            format!(r#"{{"{long}":"{long}"}}"#),
            format!(r#"["\"{long}","\\","é{long}"]"#),
        ] {
            assert_eq!(inexact(&json), None, "{json}");
        }
        assert_eq!(inexact(&format!(r#"["\\",{long}]"#)), Some(6));
    }

    #[test]
    fn a_token_with_such_a_number_is_warned_of_and_another_is_not() {
        let token = |json: &str| format!("e30.{}.AA", URL_SAFE_NO_PAD.encode(json));
        let said = warning(&token("{\n\"n\":18446744073709551616}")).unwrap();
        assert!(said.contains("line 2, column 5"), "{said}");
        for text in [&token(r#"{"n":18446744073709551615}"#), "e30", "a.b.c", ""] {
            assert_eq!(warning(text), None, "{text}");
        }
    }

    #[test]
    fn a_place_is_counted_in_lines_and_letters() {
        assert_eq!(line_and_column("{\n \"é\": 1}", 9), (2, 7));
        assert_eq!(line_and_column("1", 0), (1, 1));
    }
}
