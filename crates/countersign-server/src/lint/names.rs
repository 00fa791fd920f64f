//! Names that tell what stands in a token: secrets and personal data (RFC 7519 §12, RFC 8725 §2.3 and §3.4).

use serde_json::{Map, Value};

use super::Finding;

/// Words that name a secret; several in a row are one name.
const SECRETS: [&[&str]; 21] = [
    &["password"],
    &["passwd"],
    &["passphrase"],
    &["pwd"],
    &["secret"],
    &["credential"],
    &["credentials"],
    &["apikey"],
    &["api", "key"],
    &["privatekey"],
    &["private", "key"],
    &["encryption", "key"],
    &["refresh", "token"],
    &["access", "token"],
    &["session", "token"],
    &["connection", "string"],
    &["pin"],
    &["otp"],
    &["totp"],
    &["cvv"],
    &["cvc"],
];

/// Words that name personal data.
const PERSONAL: [&[&str]; 26] = [
    &["ssn"],
    &["social", "security"],
    &["card"],
    &["creditcard"],
    &["cardnumber"],
    &["pan"],
    &["iban"],
    &["account", "number"],
    &["passport"],
    &["tax", "id"],
    &["national", "id"],
    &["driver", "license"],
    &["driving", "licence"],
    &["birthdate"],
    &["birthday"],
    &["birth"],
    &["dob"],
    &["phone"],
    &["email"],
    &["address"],
    &["salary"],
    &["diagnosis"],
    &["health"],
    &["religion"],
    &["ethnicity"],
    &["gender"],
];

/// Words beside which a name tells about a thing and does not hold it: `password_changed_at`.
const ABOUT: [&str; 10] = [
    "changed", "expires", "expired", "expiry", "updated", "verified", "required", "policy", "type",
    "at",
];

/// Looks at every member, at any depth.
pub(super) fn findings(members: &Map<String, Value>, prefix: &str) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, value) in members {
        look_at(&format!("{prefix}{name}"), name, value, &mut findings);
    }
    findings
}

fn look_at(path: &str, name: &str, value: &Value, findings: &mut Vec<Finding>) {
    if let Some(finding) = of_value(path, value).or_else(|| of_name(path, name, value)) {
        // What is inside is no better than what is around it: one finding is enough.
        findings.push(finding);
        return;
    }
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                look_at(&format!("{path}.{name}"), name, value, findings);
            }
        }
        Value::Array(items) => {
            for item in items {
                look_at(path, "", item, findings);
            }
        }
        _ => {}
    }
}

fn of_value(path: &str, value: &Value) -> Option<Finding> {
    let is_key = match value {
        Value::String(text) => text.contains("PRIVATE KEY-----"),
        Value::Object(members) => {
            members.contains_key("kty") && (members.contains_key("d") || members.contains_key("k"))
        }
        _ => false,
    };
    is_key.then(|| {
        Finding::of(
            "private_key_in_payload",
            path,
            "holds a private key: whoever reads the token can sign with it; make a new key and leave this one out",
        )
    })
}

fn of_name(path: &str, name: &str, value: &Value) -> Option<Finding> {
    if matches!(value, Value::Null | Value::Bool(_)) {
        return None;
    }
    let words = words(name);
    if words.iter().any(|word| ABOUT.contains(&word.as_str())) {
        return None;
    }
    let named = |list: &[&[&str]]| {
        list.iter()
            .any(|row| words.windows(row.len()).any(|window| window == *row))
    };
    if named(&SECRETS) {
        return Some(Finding::of(
            "secret_in_payload",
            path,
            "is named like a secret: everybody who holds the token can read it; leave it out",
        ));
    }
    named(&PERSONAL).then(|| {
        Finding::of(
            "personal_data_in_payload",
            path,
            "is named like personal data: everybody who holds the token can read it; send an opaque id instead",
        )
    })
}

/// `cardNumber`, `card_number` and `urn:x:card-number` are the words `card` and `number`.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = ' ';
    for letter in name.chars() {
        let begins = letter.is_uppercase() && before.is_lowercase();
        if begins || !letter.is_alphanumeric() {
            words.push(String::new());
        }
        if let (true, Some(word)) = (letter.is_alphanumeric(), words.last_mut()) {
            word.extend(letter.to_lowercase());
        }
        before = letter;
    }
    words.retain(|word| !word.is_empty());
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn codes(claims: &Value) -> Vec<(&'static str, String)> {
        findings(claims.as_object().unwrap(), "")
            .into_iter()
            .map(|finding| (finding.code, finding.member.unwrap()))
            .collect()
    }

    #[test]
    fn finds_secrets_in_every_spelling_and_at_any_depth() {
        for name in [
            "password",
            "Password",
            "user_password",
            "userPassword",
            "user-passwd",
            "https://x.example/client_secret",
            "apiKey",
            "api_key",
            "db.connection_string",
            "refreshToken",
            "PIN",
        ] {
            let flat = codes(&json!({ name: "x" }));
            assert_eq!(flat, [("secret_in_payload", name.to_owned())]);
            let deep = codes(&json!({"user": [{"login": {name: "x"}}]}));
            assert_eq!(deep, [("secret_in_payload", format!("user.login.{name}"))]);
        }
    }

    #[test]
    fn finds_personal_data() {
        for name in [
            "ssn",
            "card",
            "credit_card",
            "cardNumber",
            "iban",
            "passport_no",
            "dateOfBirth",
            "phone_number",
            "email",
            "address",
        ] {
            let found = codes(&json!({ name: "x" }));
            assert_eq!(found, [("personal_data_in_payload", name.to_owned())]);
        }
    }

    #[test]
    fn leaves_other_names_alone() {
        let claims = json!({
            "iss": "i", "sub": "s", "aud": "a", "jti": "j", "roles": ["admin"], "scope": "email address",
            "cardinality": 3, "secretary": "x", "spin": 1, "company": "x", "email_verified": true,
            "password_changed_at": 1, "password": null, "phone_number_verified": true, "at_hash": "x",
            "token": "x", "cnf": {"jwk": {"kty": "EC", "x": "x"}},
        });
        assert_eq!(codes(&claims), []);
    }

    #[test]
    fn finds_private_keys_by_what_they_are() {
        for value in [
            json!("-----BEGIN PRIVATE KEY-----\nAAAA"),
            json!({"kty": "EC", "d": "x"}),
            json!({"kty": "oct", "k": "x"}),
        ] {
            let found = codes(&json!({"cnf": {"jwk": value}}));
            assert_eq!(found, [("private_key_in_payload", "cnf.jwk".to_owned())]);
        }
    }
}
