// The code that does what was chosen: one part for the partner's server, one for its page.
// @ts-check

/** @typedef {import("./api.js").Json} Json */

/**
 * Ready for a POSIX shell, whatever was typed in.
 * @param {string} text
 */
const quoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

/** @param {string} text */
const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");

/** @param {Json} body */
export const serverSnippet = (body) => `curl -sS ${location.origin}/v1/sessions \\
  -H "Authorization: Bearer $RAMPWRIGHT_KEY" \\
  -H "Idempotency-Key: $(uuidgen)" \\
  -H 'Content-Type: application/json' \\
  -d ${quoted(JSON.stringify(body, null, 2))}

# Hand "client_secret" of the answer to your page.`;

const ON_EVENT = `(event) => {
      if (event.type === "completed") showThanks(event.order.id);
    }`;

/**
 * @param {string} show
 * @param {string} url of the session, where there is one
 */
export function clientSnippet(show, url) {
  const script = `<script src="${escaped(location.origin)}/widget/v1/rampwright.js"></script>`;
  switch (show) {
    case "redirect":
      return `<!-- No script at all: send the customer to "url" of the answer.
     They come back to your return_url; believe the webhook, not the way back. -->
<a href="${escaped(url || `${location.origin}/w/ss_…#…`)}">Pay</a>`;
    case "element":
      return `${script}

<rampwright-widget client-secret="…"></rampwright-widget>

<script type="module">
  document.querySelector("rampwright-widget")
    .addEventListener("rampwright", ({ detail }) => {
      if (detail.type === "completed") showThanks(detail.order.id);
    });
</script>`;
    default:
      return `${script}

<button id="pay">Pay</button>

<script type="module">
  document.querySelector("#pay").addEventListener("click", () => {
    Rampwright.open({
      clientSecret: "…",${show === "popup" ? '\n      mode: "popup",' : ""}
      onEvent: ${ON_EVENT.replaceAll("\n", "\n  ")},
    });
  });
</script>`;
  }
}
