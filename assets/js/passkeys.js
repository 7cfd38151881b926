// Passkeys: signing in with one, and adding one to an account. Where a browser knows none, nothing of them is shown.

const known = globalThis.PublicKeyCredential?.parseRequestOptionsFromJSON && PublicKeyCredential.parseCreationOptionsFromJSON;

/** The server's own words for what was wrong. */
class Refused extends Error {}

const post = async (path, body) => {
  const headers = { Accept: "application/json", "Content-Type": "application/json" };
  const answer = await fetch(path, { method: "POST", headers, body: JSON.stringify(body) });
  if (answer.status === 204) return null;
  const words = await answer.json();
  if (!answer.ok) throw new Refused(words.error);
  return words;
};

/** What the site needs of a credential, and nothing else that the browser would tell. */
const told = (credential, fields) => {
  const { id, rawId, type, response } = credential.toJSON();
  return { id, rawId, type, response: Object.fromEntries(fields.map((field) => [field, response[field]])) };
};

/** A part of a page that is shown where passkeys are known, and says what goes wrong. */
class Passkey extends HTMLElement {
  connectedCallback() {
    if (!known) return;
    this.hidden = false;
    this.begin();
  }

  async attempt(act) {
    const words = this.querySelector(".wrong");
    words.textContent = "";
    try {
      await act();
    } catch (error) {
      // The browser says DOMException where its owner, or the authenticator, did not go through with it.
      if (error instanceof Refused) words.textContent = error.message;
      else words.textContent = error instanceof DOMException ? this.dataset.failed : this.dataset.lost;
    }
  }
}

customElements.define("passkey-door", class extends Passkey {
  begin() {
    this.querySelector("button").addEventListener("click", () => this.attempt(() => this.enter({})));
    this.offer();
  }

  /** Passkeys stand among what the browser offers in the field of the address; whoever types one is left alone. */
  async offer() {
    if (!await PublicKeyCredential.isConditionalMediationAvailable?.()) return;
    try {
      await this.enter({ mediation: "conditional" });
    } catch (error) {
      if (error instanceof Refused) this.querySelector(".wrong").textContent = error.message;
    }
  }

  async enter(how) {
    this.offered?.abort();
    this.offered = new AbortController();
    const { signal } = this.offered;
    const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(await post("/sign-in/passkey/question"));
    const credential = await navigator.credentials.get({ publicKey, signal, ...how });
    await post("/sign-in/passkey", told(credential, ["authenticatorData", "clientDataJSON", "signature", "userHandle"]));
    location.assign(this.dataset.next);
  }
});

customElements.define("passkey-maker", class extends Passkey {
  begin() {
    const form = this.querySelector("form");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.attempt(async () => {
        const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(await post("/account/passkeys/question"));
        const credential = await navigator.credentials.create({ publicKey });
        await post("/account/passkeys", { name: form.elements.passkey.value, credential: told(credential, ["attestationObject", "clientDataJSON"]) });
        location.reload();
      });
    });
  }
});
