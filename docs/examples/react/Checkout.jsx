// How a page of a shop uses it: ask your own server for a session, show it, and wait for your server's word.
import { useState } from "react";
import { RampwrightCheckout } from "./RampwrightCheckout.jsx";

export function Checkout({ cart }) {
  const [secret, setSecret] = useState("");
  const [isOver, setOver] = useState(false);

  async function begin() {
    // Your server holds the API key, and decides what is sold: it calls POST /v1/sessions and hands on `client_secret`.
    const response = await fetch("/api/checkout", { method: "POST", body: JSON.stringify({ cart }) });
    setSecret((await response.json()).clientSecret);
  }

  if (isOver) return <p>Thank you. We tell you by mail as soon as it has arrived.</p>;
  if (!secret) return <button onClick={begin}>Buy</button>;
  return (
    <RampwrightCheckout
      key={secret}
      clientSecret={secret}
      onEvent={(event) => {
        // Good for what is shown. What is delivered follows from the webhook `order.completed` alone.
        if (event.type === "completed") setOver(true);
        if (event.type === "closed") setSecret("");
      }}
    />
  );
}
