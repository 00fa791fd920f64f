//! Texts as literals of each language. What stands in a token is somebody else's: nothing of it ends a literal, becomes an
//! option of a command, or stands in a program without being shown. So every letter but those of ASCII that are printed
//! is escaped.

/// A text that becomes a literal.
pub(super) struct Text(pub(super) String);

impl Text {
    /// As Python and Go read it alike.
    pub(super) fn quoted(&self) -> String {
        self.between_quotes(|letter| match u32::from(letter) {
            code @ ..=0xffff => format!("\\u{code:04x}"),
            code => format!("\\U{code:08x}"),
        })
    }

    /// As JavaScript reads it: two units for a letter beyond the first plane.
    pub(super) fn script(&self) -> String {
        self.between_quotes(|letter| {
            let units = letter.encode_utf16(&mut [0; 2]).to_vec();
            units.iter().map(|unit| format!("\\u{unit:04x}")).collect()
        })
    }

    pub(super) fn rust(&self) -> String {
        self.between_quotes(|letter| format!("\\u{{{:x}}}", u32::from(letter)))
    }

    /// As bash and zsh read it. Octets, because a letter by its number is another text where the locale lacks it.
    pub(super) fn shell(&self) -> String {
        if self.0.chars().all(is_shown) {
            return format!("'{}'", self.0.replace('\'', r"'\''"));
        }
        let mut text = String::from("$'");
        for letter in self.0.chars() {
            match letter {
                '\'' | '\\' => text.extend(['\\', letter]),
                letter if is_shown(letter) => text.push(letter),
                letter => {
                    let octets = letter.encode_utf8(&mut [0; 4]).as_bytes().to_vec();
                    text.extend(octets.iter().map(|octet| format!("\\x{octet:02x}")));
                }
            }
        }
        text + "'"
    }

    /// Whether no argument of a command can hold it.
    pub(super) fn has_nul(&self) -> bool {
        self.0.contains('\0')
    }

    /// Where an issuer of this URL says what it has (OpenID Connect Discovery §4).
    pub(super) fn well_known(&self) -> Self {
        let issuer = self.0.trim_end_matches('/');
        Self(format!("{issuer}/.well-known/openid-configuration"))
    }

    fn between_quotes(&self, escape: impl Fn(char) -> String) -> String {
        let mut text = String::from("\"");
        for letter in self.0.chars() {
            match letter {
                '"' | '\\' => text.extend(['\\', letter]),
                letter if is_shown(letter) => text.push(letter),
                letter => text.push_str(&escape(letter)),
            }
        }
        text + "\""
    }
}

fn is_shown(letter: char) -> bool {
    matches!(letter, ' '..='~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_literal_that_ends_where_it_should() {
        let text = Text("a\"b\\c\n$é'".to_owned());
        assert_eq!(text.quoted(), r#""a\"b\\c\u000a$\u00e9'""#);
        assert_eq!(text.script(), r#""a\"b\\c\u000a$\u00e9'""#);
        assert_eq!(text.rust(), r#""a\"b\\c\u{a}$\u{e9}'""#);
        assert_eq!(text.shell(), r#"$'a"b\\c\x0a$\xc3\xa9\''"#);
        let shown = Text("a\"b\\c$'".to_owned());
        assert_eq!(shown.shell(), r#"'a"b\c$'\'''"#);
    }

    #[test]
    fn a_letter_that_is_not_shown_stands_in_no_literal() {
        let text = Text("\u{202e}\u{e0041}\u{200b}\u{feff}\u{a0}\u{7f}".to_owned());
        assert_eq!(
            text.quoted(),
            r#""\u202e\U000e0041\u200b\ufeff\u00a0\u007f""#
        );
        assert_eq!(
            text.script(),
            r#""\u202e\udb40\udc41\u200b\ufeff\u00a0\u007f""#
        );
        assert_eq!(
            text.rust(),
            r#""\u{202e}\u{e0041}\u{200b}\u{feff}\u{a0}\u{7f}""#
        );
        assert_eq!(
            text.shell(),
            r"$'\xe2\x80\xae\xf3\xa0\x81\x81\xe2\x80\x8b\xef\xbb\xbf\xc2\xa0\x7f'"
        );
    }
}
