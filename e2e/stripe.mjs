// A stand-in for Stripe, which is not Stripe: pages for paying, and events signed as Stripe signs them. It charges nobody.
import { createHmac, randomUUID } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:http";

const SECRET = "whsec_of_the_journey";
const page = (words) => `<!doctype html><html lang="en"><title>Not Stripe</title><h1>A stand-in for a page for paying</h1><p>${words}</p><form method="post"><button>Pay</button></form>`;
const body = async (request) => {
  let text = "";
  for await (const part of request) text += part;
  return text;
};

/** Starts one; `webhook` tells where events go. */
export const openStripe = async () => {
  const sessions = new Map();
  const heard = [];
  let webhook;
  const object = (id, { form, paid }) => ({ id, object: "checkout.session", amount_total: Number(form.get("line_items[0][price_data][unit_amount]")), currency: form.get("line_items[0][price_data][currency]"), client_reference_id: form.get("client_reference_id"), payment_intent: paid ? `pi_${id}` : null, payment_status: paid ? "paid" : "unpaid", url: paid ? null : `${base}/c/pay/${id}` });
  /** Sends an event, signed; its status. */
  const tell = async (type, data) => {
    const text = JSON.stringify({ id: `evt_${randomUUID().replaceAll("-", "")}`, object: "event", type, data: { object: data } });
    const time = Math.floor(Date.now() / 1000);
    const signature = createHmac("sha256", SECRET).update(`${time}.${text}`).digest("hex");
    return (await fetch(webhook, { method: "POST", body: text, headers: { "stripe-signature": `t=${time},v1=${signature}` } })).status;
  };
  const server = createServer(async (request, response) => {
    const answer = (status, type, text, more = {}) => response.writeHead(status, { "content-type": type, ...more }).end(text);
    const id = request.url.split("/").at(-1);
    if (request.url === "/v1/checkout/sessions") {
      const form = new URLSearchParams(await body(request));
      const made = `cs_${form.get("client_reference_id")}`;
      heard.push({ headers: request.headers, form });
      sessions.set(made, sessions.get(made) ?? { form, paid: false });
      return answer(200, "application/json", JSON.stringify(object(made, sessions.get(made))));
    }
    const session = sessions.get(id);
    if (!session) return answer(404, "application/json", JSON.stringify({ error: { type: "invalid_request_error" } }));
    if (request.url.startsWith("/v1/")) return answer(200, "application/json", JSON.stringify(object(id, session)));
    if (request.method === "GET") return answer(200, "text/html", page(session.form.get("line_items[0][price_data][product_data][name]")));
    session.paid = true;
    answer(303, "text/plain", "", { location: session.form.get("success_url") });
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const base = `http://127.0.0.1:${server.address().port}`;
  const env = { SAFELIGHT_PACKS: "100=5.00 EUR,500=20.00 EUR", SAFELIGHT_STRIPE_KEY: "sk_test_of_the_journey", SAFELIGHT_STRIPE_WEBHOOK_SECRETS: SECRET, SAFELIGHT_STRIPE_URL: base };
  /** Tells that whatever was paid is paid. */
  const tellOfPayments = () => Promise.all([...sessions].filter(([, session]) => session.paid).map(([id, session]) => tell("checkout.session.completed", object(id, session))));
  return { base, env, heard, tell, tellOfPayments, tellTo: (address) => { webhook = address; }, close: () => server.close() };
};
