// A React component around the embed script; an example to copy, not a package. React 18 or later.
import { useEffect, useRef, useState } from "react";

const GATEWAY = "https://pay.example"; // where your Rampwright is

/** The script, loaded once for the page; it defines <rampwright-widget>. */
let loading;
function loadScript() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${GATEWAY}/widget/v1/rampwright.js`;
    script.addEventListener("load", resolve);
    script.addEventListener("error", () => {
      loading = undefined; // so that the next one tries again
      script.remove();
      reject(new Error("The checkout's script could not be loaded."));
    });
    document.head.append(script);
  });
  return loading;
}

/**
 * Shows one session. Give it a `key` of the session's id, so that another session is another element.
 *
 * @param {object} props
 * @param {string} props.clientSecret what your server got from POST /v1/sessions
 * @param {(event: RampwrightEvent) => void} props.onEvent
 */
export function RampwrightCheckout({ clientSecret, onEvent }) {
  const element = useRef(null);
  const listener = useRef(onEvent);
  const [trouble, setTrouble] = useState("");

  useEffect(() => {
    listener.current = onEvent; // a new function at each rendering does not mean a new frame
  }, [onEvent]);

  useEffect(() => {
    const widget = element.current;
    const hear = ({ detail }) => listener.current?.(detail);
    widget.addEventListener("rampwright", hear);
    loadScript().catch((error) => setTrouble(error.message));
    return () => widget.removeEventListener("rampwright", hear);
  }, []);

  return (
    <>
      {trouble && <p role="alert">{trouble}</p>}
      <rampwright-widget ref={element} client-secret={clientSecret} />
    </>
  );
}
