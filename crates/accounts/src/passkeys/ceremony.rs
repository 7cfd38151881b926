//! This owns what is asked of an authenticator, and whether its answer is right. It keeps nothing, and it is the one file
//! that knows the library.
//!
//! The questions are written out here, so that one sees what they ask for: a key that is found without an address, and
//! that its owner is there. No attestation, no extension, nothing of the device.

use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use kernel::{Error, Id, Kind, Result};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use url::Url;
use webauthn_rs_core::WebauthnCore;
use webauthn_rs_core::error::WebauthnError;
use webauthn_rs_core::proto::{
    AttestationFormat, AuthenticationState, COSEKey, Credential, ParsedAttestation, PublicKeyCredential,
    RegisterPublicKeyCredential, RegisteredExtensions, RegistrationState, UserVerificationPolicy,
};

use super::ANSWER_SECONDS;

/// The longest id of a credential that the standard knows.
const ID_BYTES_MAX: usize = 1023;

/// A new passkey, as a browser sends it.
pub(crate) type NewCredential = RegisterPublicKeyCredential;
/// The proof that somebody has a passkey, as a browser sends it.
pub(crate) type Proof = PublicKeyCredential;

/// What a question leaves behind until its answer comes.
pub(crate) enum Question {
    /// For a new passkey of this account.
    New { account: Id, state: RegistrationState },
    /// For a passkey of whoever it is.
    Proof { state: AuthenticationState },
}

/// All that is kept of a passkey: what its next proof is checked with. The library also knows its maker, how it is
/// attached and what it can do; none of that has a place here.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    /// Id of the credential, as browsers write it.
    id: String,
    key: COSEKey,
    counter: u32,
    /// Whether it said that copies of it may exist, which must not change.
    copied: bool,
}

impl Kept {
    fn of(credential: Credential) -> Self {
        Self {
            id: BASE64URL_NOPAD.encode(&credential.cred_id),
            key: credential.cred,
            counter: credential.counter,
            copied: credential.backup_eligible,
        }
    }

    /// Id of the credential.
    pub(crate) fn id(&self) -> Result<Vec<u8>> {
        let broken = |cause| Error::internal("the id of a passkey is broken").because(cause);
        BASE64URL_NOPAD.decode(self.id.as_bytes()).map_err(broken)
    }

    fn credential(&self) -> Result<Credential> {
        Ok(Credential {
            cred_id: self.id()?,
            cred: self.key.clone(),
            counter: self.counter,
            transports: None,
            user_verified: true,
            backup_eligible: self.copied,
            backup_state: false,
            registration_policy: UserVerificationPolicy::Required,
            extensions: RegisteredExtensions::none(),
            attestation: ParsedAttestation::default(),
            attestation_format: AttestationFormat::None,
        })
    }
}

/// The questions of one site.
pub(crate) struct Ceremony {
    core: WebauthnCore,
    host: String,
    site: String,
}

impl Ceremony {
    /// For the site at this address; none where browsers offer no passkeys: they want a host with a name, and https or
    /// their own machine.
    pub(crate) fn at(public_url: &str, site: &str) -> Option<Self> {
        let origin = Url::parse(public_url).ok()?;
        let host = origin.domain()?.to_owned();
        let own_machine = host == "localhost" || host.ends_with(".localhost");
        if origin.scheme() != "https" && !own_machine {
            return None;
        }
        let time = Duration::from_secs(ANSWER_SECONDS.into());
        // Neither other hosts of the domain nor other ports.
        let core = WebauthnCore::new_unsafe_experts_only(site, &host, vec![origin], time, None, None);
        Some(Self { core, host, site: site.to_owned() })
    }

    /// Asks for a new passkey of an account that has these. `member` is what the authenticator shows beside the site's name.
    pub(crate) fn ask_for_new(
        &self,
        account: Id,
        have: Vec<Vec<u8>>,
        member: &str,
    ) -> Result<(Value, Question)> {
        let name = format!("{} · {member}", self.site);
        let excluded: Vec<Value> =
            have.iter().map(|id| json!({ "type": "public-key", "id": BASE64URL_NOPAD.encode(id) })).collect();
        let builder = self
            .core
            .new_challenge_register_builder(account.as_bytes(), &name, &name)
            .map_err(refusal)?
            .user_verification_policy(UserVerificationPolicy::Required)
            .require_resident_key(true)
            .exclude_credentials(Some(have));
        let (asked, state) = self.core.generate_challenge_register(builder).map_err(refusal)?;
        let question = json!({
            "rp": { "id": self.host, "name": self.site },
            "user": { "id": BASE64URL_NOPAD.encode(account.as_bytes()), "name": name, "displayName": name },
            "challenge": BASE64URL_NOPAD.encode(&asked.public_key.challenge),
            "pubKeyCredParams": asked.public_key.pub_key_cred_params,
            "timeout": u64::from(ANSWER_SECONDS) * 1000,
            "excludeCredentials": excluded,
            "authenticatorSelection": { "residentKey": "required", "requireResidentKey": true, "userVerification": "required" },
            "attestation": "none",
        });
        Ok((question, Question::New { account, state }))
    }

    /// Asks whoever it is for a proof of a passkey.
    pub(crate) fn ask_for_proof(&self) -> Result<(Value, Question)> {
        let policy = Some(UserVerificationPolicy::Required);
        let builder = self.core.new_challenge_authenticate_builder(Vec::new(), policy).map_err(refusal)?;
        let (asked, state) = self.core.generate_challenge_authenticate(builder).map_err(refusal)?;
        let question = json!({
            "rpId": self.host,
            "challenge": BASE64URL_NOPAD.encode(&asked.public_key.challenge),
            "timeout": u64::from(ANSWER_SECONDS) * 1000,
            "userVerification": "required",
        });
        Ok((question, Question::Proof { state }))
    }

    /// What is kept of a new passkey, if it answers the question.
    pub(crate) fn check_new(&self, answer: &NewCredential, state: &RegistrationState) -> Result<Kept> {
        let credential = self.core.register_credential(answer, state, None).map_err(refusal)?;
        if credential.cred_id.is_empty() || credential.cred_id.len() > ID_BYTES_MAX {
            return Err(unreadable());
        }
        Ok(Kept::of(credential))
    }

    /// What is kept of a passkey from now on, if this proves it.
    pub(crate) fn check_proof(&self, proof: &Proof, state: &AuthenticationState, kept: Kept) -> Result<Kept> {
        let credential = kept.credential()?;
        let proven = self.core.authenticate_single_credential(proof, state, &credential).map_err(refusal)?;
        Ok(Kept { counter: proven.counter(), ..kept })
    }
}

fn unreadable() -> Error {
    Error::invalid("credential", "What your device sent cannot be read as a passkey. Please try again.")
}

/// The question is not there: answered, too old, or another browser's.
pub(crate) fn stale() -> Error {
    Error::invalid("credential", "This took too long or was used before. Please try again.")
}

/// The passkey is not one that opens anything.
pub(crate) fn unknown() -> Error {
    Error::new(
        Kind::Unauthenticated,
        "This passkey opens nothing here. It may have been removed: sign in with a code.",
    )
}

/// What a refusal of the library means to the one who tries.
fn refusal(cause: WebauthnError) -> Error {
    match cause {
        WebauthnError::MismatchedChallenge => stale(),
        WebauthnError::AuthenticationFailure | WebauthnError::CredentialNotFound => unknown(),
        WebauthnError::UserNotVerified | WebauthnError::UserNotPresent => Error::new(
            Kind::Unauthenticated,
            "Your device did not check that it is you. Please unlock it when it asks.",
        ),
        WebauthnError::InvalidRPOrigin
        | WebauthnError::InvalidRPIDHash
        | WebauthnError::CredentialCrossOrigin => {
            Error::new(Kind::Forbidden, "This passkey was used on another site, so it was refused here.")
        }
        WebauthnError::CredentialPossibleCompromise => Error::new(
            Kind::Forbidden,
            "This passkey counts backwards, so there may be a copy of it. Sign in with a code and remove it.",
        ),
        _ => unreadable(),
    }
    .because(cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passkeys_want_a_name_and_a_safe_way() {
        let at = |url: &str| Ceremony::at(url, "Safelight").map(|ceremony| ceremony.host);
        assert_eq!(at("https://pictures.example.org"), Some("pictures.example.org".to_owned()));
        assert_eq!(at("https://pictures.example.org:8443"), Some("pictures.example.org".to_owned()));
        assert_eq!(at("http://localhost:8080"), Some("localhost".to_owned()));
        assert_eq!(at("http://safelight.localhost"), Some("safelight.localhost".to_owned()));
        for none in [
            "http://127.0.0.1:8080",
            "https://192.0.2.1",
            "https://[2001:db8::1]",
            "http://pictures.example.org",
            "x",
        ] {
            assert_eq!(at(none), None, "{none}");
        }
    }

    #[test]
    fn the_questions_ask_for_nothing_of_the_device() {
        let ceremony = Ceremony::at("https://pictures.example.org", "Safelight").unwrap();
        let account = Id::random();
        let (new, _) = ceremony.ask_for_new(account, vec![vec![7; 16]], "member").unwrap();
        assert_eq!(new["attestation"], "none");
        assert_eq!(new["user"]["id"], BASE64URL_NOPAD.encode(account.as_bytes()));
        assert_eq!(new["user"]["name"], "Safelight · member");
        assert_eq!(new["authenticatorSelection"]["residentKey"], "required");
        assert_eq!(new["excludeCredentials"][0]["id"], BASE64URL_NOPAD.encode(&[7; 16]));
        let (proof, _) = ceremony.ask_for_proof().unwrap();
        assert_eq!(proof["userVerification"], "required");
        for question in [&new, &proof] {
            assert!(question.get("extensions").is_none() && question.get("hints").is_none());
            assert!(question["challenge"].as_str().unwrap().len() >= 43, "256 bits");
        }
        assert_ne!(ceremony.ask_for_proof().unwrap().0["challenge"], proof["challenge"]);
    }
}
