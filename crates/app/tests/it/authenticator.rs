//! An authenticator in software: it makes passkeys and proves them as a browser sends it, and can be told to do it wrong.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};

/// Somebody is there.
const PRESENT: u8 = 1;
/// It was checked who.
pub(crate) const VERIFIED: u8 = 4;
/// A new key follows.
const NEW_KEY: u8 = 64;

/// One passkey.
pub(crate) struct Authenticator {
    pair: EcdsaKeyPair,
    /// Id of the credential.
    pub(crate) id: Vec<u8>,
    /// Its maker's model, which it tells although nobody asks.
    pub(crate) model: [u8; 16],
    /// How often it was used; what it says next time.
    pub(crate) count: u32,
    /// What it says of the one who uses it, beside that somebody is there.
    pub(crate) flags: u8,
    /// The page that it thinks it is asked by.
    pub(crate) origin: String,
    /// The site that it thinks the key is for.
    pub(crate) host: String,
    /// Whose key it is, as the site said.
    pub(crate) user: String,
}

impl Authenticator {
    /// One that is used on pages of this origin.
    pub(crate) fn at(origin: &str) -> Self {
        let host = origin.split("://").nth(1).unwrap().split(':').next().unwrap().to_owned();
        Self {
            pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
            id: rand::random::<[u8; 32]>().to_vec(),
            model: rand::random(),
            count: 0,
            flags: VERIFIED,
            origin: origin.to_owned(),
            host,
            user: String::new(),
        }
    }

    /// The coordinates of its public key.
    pub(crate) fn public(&self) -> (&[u8], &[u8]) {
        self.pair.public_key().as_ref()[1..].split_at(32)
    }

    /// A new passkey, as an answer to a question.
    pub(crate) fn make(&mut self, question: &Value) -> Value {
        assert_eq!((&question["attestation"], &question["rp"]["id"]), (&json!("none"), &json!(self.host)));
        question["user"]["id"].as_str().unwrap().clone_into(&mut self.user);
        let (x, y) = self.public();
        let length = u16::try_from(self.id.len()).unwrap().to_be_bytes();
        let key = [&[0xa5, 1, 2, 3, 0x26, 0x20, 1, 0x21, 0x58, 32], x, &[0x22, 0x58, 32], y].concat();
        let data = [&self.data(NEW_KEY), self.model.as_slice(), &length, &self.id, &key].concat();
        let length = u16::try_from(data.len()).unwrap().to_be_bytes();
        let object = [b"\xa3cfmtdnonegattStmt\xa0hauthDataY".as_slice(), &length, &data].concat();
        let response = json!({
            "attestationObject": BASE64URL_NOPAD.encode(&object),
            "clientDataJSON": BASE64URL_NOPAD.encode(&self.told("webauthn.create", question)),
        });
        self.credential(&response)
    }

    /// A proof that it has its passkey, as an answer to a question.
    pub(crate) fn prove(&mut self, question: &Value) -> Value {
        self.count += 1;
        let (data, told) = (self.data(0), self.told("webauthn.get", question));
        let signed = [data.as_slice(), digest(&SHA256, &told).as_ref()].concat();
        let signature = self.pair.sign(&SystemRandom::new(), &signed).unwrap();
        let response = json!({
            "authenticatorData": BASE64URL_NOPAD.encode(&data),
            "clientDataJSON": BASE64URL_NOPAD.encode(&told),
            "signature": BASE64URL_NOPAD.encode(signature.as_ref()),
            "userHandle": self.user,
        });
        self.credential(&response)
    }

    fn credential(&self, response: &Value) -> Value {
        let id = BASE64URL_NOPAD.encode(&self.id);
        json!({ "id": id, "rawId": id, "type": "public-key", "response": response })
    }

    fn data(&self, more: u8) -> Vec<u8> {
        let host = digest(&SHA256, self.host.as_bytes());
        [host.as_ref(), &[PRESENT | self.flags | more], &self.count.to_be_bytes()].concat()
    }

    fn told(&self, what: &str, question: &Value) -> Vec<u8> {
        let challenge = &question["challenge"];
        let told =
            json!({ "type": what, "challenge": challenge, "origin": self.origin, "crossOrigin": false });
        told.to_string().into_bytes()
    }
}
