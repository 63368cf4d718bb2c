// The embed script: `<rampwright-widget client-secret="…">` and `Rampwright.open({clientSecret, onEvent})`.
//
// It shows the checkout page of the gateway that served this file, in a frame, a dialog or a window, and tells the
// embedding page what happens. It styles itself through CSSOM and constructable stylesheets only, so that it works
// under a policy without 'unsafe-inline'. What arrives is believed only from the very window that was opened here and
// from the gateway's very origin, and only in the shapes below; everything else is counted and forgotten.
// @ts-check

/** @typedef {{ type: "resize", height: number }} Resize */
/** @typedef {NonNullable<RampwrightOptions["onEvent"]>} OnEvent */

(() => {
  "use strict";

  const script = document.currentScript;
  if (!(script instanceof HTMLScriptElement) || customElements.get("rampwright-widget")) return;

  const BASE = new URL(script.src).origin;
  const ASK_AGAIN_MS = 300; // and half as long again each time
  const LOOK_MS = 500;
  const PATIENCE_MS = 20_000;
  const MOST_MESSAGES = 100; // a second
  const MOST_TEXT = 64;
  const LEAST_HEIGHT = 240;
  const MOST_HEIGHT = 4000;
  const SESSION = /^ss_[0-9A-HJKMNP-TV-Z]{26}$/;
  const ORDER = /^or_[0-9A-HJKMNP-TV-Z]{26}$/;
  const STEPS = ["amount", "address", "bank", "review", "payment", "authentication", "deposit", "status"];
  /** @type {Record<string, [title: string, close: string, trouble: string]>} */
  const TEXTS = {
    en: ["Checkout", "Close", "The checkout cannot be shown here. Nothing was paid. Reload the page to try again."],
    de: ["Kasse", "Schließen", "Die Kasse kann hier nicht angezeigt werden. Es wurde nichts bezahlt. Bitte laden Sie die Seite neu."],
    es: ["Pago", "Cerrar", "El pago no se puede mostrar aquí. No se ha pagado nada. Vuelva a cargar la página."],
    fr: ["Paiement", "Fermer", "Le paiement ne peut pas s’afficher ici. Rien n’a été payé. Rechargez la page."],
    ar: ["الدفع", "إغلاق", "لا يمكن عرض صفحة الدفع هنا. لم يُدفع أي مبلغ. أعد تحميل الصفحة."],
  };

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    :host { display: block; }
    :host([hidden]) { display: none; }
    iframe { display: block; inline-size: 100%; block-size: 640px; border: 0; color-scheme: normal; }
    p { font: 1rem/1.5 system-ui, sans-serif; margin: 0; padding: 1rem; }
    dialog { inline-size: min(28rem, 100vw); max-inline-size: none; max-block-size: 100dvh; box-sizing: border-box;
      margin: auto; padding: 0; border: 0; border-radius: 16px; overflow: auto; background: Canvas; color: CanvasText;
      box-shadow: 0 24px 64px rgb(0 0 0 / .32); }
    dialog::backdrop { background: rgb(10 12 20 / .56); }
    dialog iframe { max-block-size: calc(100dvh - 44px); }
    button { display: block; inline-size: 44px; block-size: 44px; margin-inline-start: auto; border: 0; padding: 0;
      background: none; color: inherit; font: 1.5rem/1 system-ui, sans-serif; cursor: pointer; border-radius: 8px; }
    button:focus-visible { outline: 2px solid; outline-offset: -4px; }
    .ready iframe { max-block-size: 100dvh; }
    .ready button:not(:focus-visible) { position: absolute; clip-path: inset(50%); } /* the checkout has its own */
    @media (max-width: 30rem) { dialog { inline-size: 100vw; block-size: 100dvh; border-radius: 0; } }
  `);

  const texts = () => TEXTS[document.documentElement.lang.slice(0, 2).toLowerCase()] ?? TEXTS.en;

  /**
   * Whose secret this is: the subject of the token, which the gateway alone can check.
   * @param {unknown} secret
   * @returns {string | null}
   */
  function sessionOf(secret) {
    try {
      const body = String(secret).split(".")[1].replace(/-/g, "+").replace(/_/g, "/");
      const { sub } = JSON.parse(atob(body));
      return typeof sub === "string" && SESSION.test(sub) ? sub : null;
    } catch {
      return null;
    }
  }

  /** @param {unknown} value @returns {value is string} */
  const isText = (value) => typeof value === "string" && value.length > 0 && value.length <= MOST_TEXT;

  /** @param {unknown} value @returns {value is Record<string, unknown>} */
  const isRecord = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

  /**
   * A field of the message's own; what hangs on a prototype is none.
   * @param {Record<string, unknown>} record
   * @param {string} name
   */
  const own = (record, name) => (Object.hasOwn(record, name) ? record[name] : undefined);

  /**
   * A new order made of the three fields that we know.
   * @param {unknown} value
   * @returns {RampwrightOrder | null}
   */
  function orderOf(value) {
    if (!isRecord(value)) return null;
    const [id, status, stage] = [own(value, "id"), own(value, "status"), own(value, "stage") ?? null];
    if (!isText(id) || !ORDER.test(id) || !isText(status) || !(stage === null || isText(stage))) return null;
    return { id, status, stage };
  }

  /**
   * What a message says, as a new object; null when it has none of the shapes.
   * @param {Record<string, unknown>} message
   * @returns {Exclude<RampwrightEvent, { type: "ready" | "error" }> | Resize | null}
   */
  function read(message) {
    const type = own(message, "type");
    switch (type) {
      case "resize": {
        const height = own(message, "height");
        if (typeof height !== "number" || !Number.isFinite(height) || height <= 0) return null;
        return { type, height: Math.min(Math.max(Math.ceil(height), LEAST_HEIGHT), MOST_HEIGHT) };
      }
      case "step": {
        const step = own(message, "step");
        return isText(step) && STEPS.includes(step) ? { type, step } : null;
      }
      case "order":
      case "completed":
      case "failed": {
        const order = orderOf(own(message, "order"));
        return order && { type, order };
      }
      case "closed":
        return { type };
      default:
        return null;
    }
  }

  /** The conversation with one window of the gateway. */
  class Channel {
    ignored = 0;
    ready = false;
    #id = "";
    #second = 0;
    #inSecond = 0;
    #session;
    #secret;
    #target;
    #tell;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    #asking;

    /**
     * @param {string} session
     * @param {string} secret
     * @param {() => Window | null} target the window; a frame has another one after each navigation
     * @param {(event: RampwrightEvent | Resize) => void} tell
     */
    constructor(session, secret, target, tell) {
      this.#session = session;
      this.#secret = secret;
      this.#target = target;
      this.#tell = tell;
      window.addEventListener("message", this);
    }

    /** Hand the secret over, again and again until the page says that it has it. */
    open() {
      this.ready = false;
      this.#id = crypto.getRandomValues(new Uint32Array(4)).join("-");
      clearTimeout(this.#asking);
      this.#ask(ASK_AGAIN_MS);
    }

    /** Say no more, hear no more. */
    end() {
      clearTimeout(this.#asking);
      window.removeEventListener("message", this);
    }

    /** @param {Record<string, unknown>} message */
    send(message) {
      // The browser delivers to this origin only: whatever else is in the window by now learns nothing.
      this.#target()?.postMessage({ rampwright: 1, ...message }, BASE);
    }

    /** @param {MessageEvent<unknown>} event */
    handleEvent(event) {
      const heard = event.origin === BASE && event.source !== null && event.source === this.#target() && this.#hasRoom();
      if (!heard || !this.#hear(event.data)) this.ignored += 1;
    }

    /**
     * @param {unknown} message
     * @returns {boolean} whether it was one of ours
     */
    #hear(message) {
      if (!isRecord(message) || own(message, "rampwright") !== 1) return false;
      if (own(message, "type") === "ready") {
        if (this.ready || own(message, "re") !== this.#id) return false;
        this.ready = true;
        clearTimeout(this.#asking);
        this.#tell({ type: "ready", session: this.#session });
        return true;
      }
      const event = this.ready ? read(message) : null;
      if (event) this.#tell(event);
      return event !== null;
    }

    /** @param {number} pause in milliseconds, before it is asked again */
    #ask(pause) {
      this.send({ type: "open", id: this.#id, client_secret: this.#secret });
      if (pause < PATIENCE_MS) this.#asking = setTimeout(() => this.#ask(pause * 1.5), pause);
    }

    #hasRoom() {
      const second = Math.floor(performance.now() / 1000);
      if (second !== this.#second) [this.#second, this.#inSecond] = [second, 0];
      this.#inSecond += 1;
      return this.#inSecond <= MOST_MESSAGES;
    }
  }

  /**
   * Show the page in a frame inside `root`.
   * @param {ShadowRoot | HTMLElement} root
   * @param {string} secret
   * @param {OnEvent} tell
   * @returns {RampwrightHandle}
   */
  function openFrame(root, secret, tell) {
    const session = sessionOf(secret);
    if (!session) return refused(tell, "client_secret_invalid");
    const frame = document.createElement("iframe");
    const trouble = document.createElement("p");
    trouble.setAttribute("role", "alert");
    trouble.hidden = true;
    let isOpen = true;
    const channel = new Channel(session, secret, () => frame.contentWindow, (event) => {
      if (event.type === "resize") {
        frame.style.blockSize = `${event.height}px`;
        return;
      }
      if (event.type === "ready") trouble.hidden = true;
      if (event.type === "closed") end();
      else tell(event);
    });
    const patience = setTimeout(() => {
      if (channel.ready) return;
      trouble.textContent = texts()[2];
      trouble.hidden = false;
      tell({ type: "error", code: "not_shown" });
    }, PATIENCE_MS);
    function end() {
      if (!isOpen) return;
      isOpen = false;
      clearTimeout(patience);
      channel.end();
      frame.remove();
      trouble.remove();
      tell({ type: "closed" });
    }
    frame.title = texts()[0];
    frame.allow = "payment; camera; clipboard-write";
    frame.src = `${BASE}/w/${session}`;
    frame.addEventListener("load", () => channel.open());
    root.append(trouble, frame);
    return {
      close() {
        if (isOpen && channel.ready) channel.send({ type: "close" });
        end();
      },
      get ignored() {
        return channel.ignored;
      },
    };
  }

  /**
   * Show the page in a dialog over the embedding page.
   * @param {string} secret
   * @param {OnEvent} tell
   * @returns {RampwrightHandle}
   */
  function openDialog(secret, tell) {
    const host = document.createElement("div");
    const root = host.attachShadow({ mode: "open" });
    root.adoptedStyleSheets = [sheet];
    const dialog = document.createElement("dialog");
    const button = document.createElement("button");
    const [title, close] = texts();
    dialog.setAttribute("aria-label", title);
    button.type = "button";
    button.textContent = "×";
    button.setAttribute("aria-label", close);
    dialog.append(button);
    root.append(dialog);
    document.body.append(host);
    dialog.showModal();
    const handle = openFrame(dialog, secret, (event) => {
      if (event.type === "ready") dialog.className = "ready";
      if (event.type === "closed" || (event.type === "error" && event.code === "client_secret_invalid")) {
        dialog.close(); // gives the focus back to where it was
        host.remove();
      }
      tell(event);
    });
    button.addEventListener("click", () => handle.close());
    dialog.addEventListener("cancel", (event) => {
      event.preventDefault();
      handle.close();
    });
    return handle;
  }

  /**
   * Whether a new window shows the page already; until then it is an empty one of our own origin, and nobody to talk to.
   * @param {Window} popup
   */
  function hasArrived(popup) {
    try {
      return popup.location.href !== "about:blank";
    } catch {
      return true; // of another origin by now
    }
  }

  /**
   * Show the page in a window of its own.
   * @param {string} secret
   * @param {OnEvent} tell
   * @returns {RampwrightHandle}
   */
  function openPopup(secret, tell) {
    const session = sessionOf(secret);
    if (!session) return refused(tell, "client_secret_invalid");
    const popup = window.open(`${BASE}/w/${session}`, `rampwright_${session}`, "popup,width=448,height=760");
    if (!popup) return refused(tell, "popup_blocked");
    let isOpen = true;
    const channel = new Channel(session, secret, () => (hasArrived(popup) ? popup : null), (event) => {
      if (event.type === "closed") end();
      else if (event.type !== "resize") tell(event);
    });
    const looking = setInterval(() => popup.closed && end(), LOOK_MS);
    function end() {
      if (!isOpen) return;
      isOpen = false;
      clearInterval(looking);
      channel.end();
      popup?.close();
      tell({ type: "closed" });
    }
    channel.open();
    return {
      close() {
        if (isOpen && channel.ready) channel.send({ type: "close" });
        end();
      },
      get ignored() {
        return channel.ignored;
      },
    };
  }

  /**
   * @param {OnEvent} tell
   * @param {"client_secret_invalid" | "popup_blocked"} code
   * @returns {RampwrightHandle}
   */
  function refused(tell, code) {
    queueMicrotask(() => tell({ type: "error", code })); // after the caller has got its handle
    return { close() {}, ignored: 0 };
  }

  /**
   * `<rampwright-widget client-secret="…">`: dispatches `rampwright` events, whose `detail` is a RampwrightEvent.
   * @implements {RampwrightElement}
   */
  class RampwrightWidget extends HTMLElement {
    static observedAttributes = ["client-secret"];
    #root = this.attachShadow({ mode: "open" });
    /** @type {RampwrightHandle | null} */
    #handle = null;

    constructor() {
      super();
      this.#root.adoptedStyleSheets = [sheet];
    }

    get clientSecret() {
      return this.getAttribute("client-secret") ?? "";
    }

    set clientSecret(secret) {
      this.setAttribute("client-secret", secret);
    }

    /** How many messages were not ours, or not well formed. */
    get ignored() {
      return this.#handle?.ignored ?? 0;
    }

    connectedCallback() {
      this.#show();
    }

    disconnectedCallback() {
      this.#hide();
    }

    /**
     * @param {string} _name
     * @param {string | null} before
     * @param {string | null} after
     */
    attributeChangedCallback(_name, before, after) {
      if (this.isConnected && before !== after) this.#show();
    }

    /** Ask the page to end, and take it away. */
    close() {
      this.#hide();
    }

    #show() {
      this.#hide();
      if (!this.clientSecret) return;
      this.#handle = openFrame(this.#root, this.clientSecret, (detail) => {
        this.dispatchEvent(new CustomEvent("rampwright", { detail, bubbles: true, composed: true }));
      });
    }

    #hide() {
      const handle = this.#handle;
      this.#handle = null;
      handle?.close();
    }
  }
  customElements.define("rampwright-widget", RampwrightWidget);

  /** @type {RampwrightApi} */
  const Rampwright = Object.freeze({
    /**
     * Show a checkout; answers a handle that closes it.
     * @param {RampwrightOptions} options
     */
    open({ clientSecret, onEvent = () => {}, mode = "frame", container }) {
      /** @type {OnEvent} */
      const tell = (event) => {
        try {
          onEvent(event);
        } catch (error) {
          reportError(error); // theirs; ours goes on
        }
      };
      if (mode === "popup") return openPopup(clientSecret, tell);
      if (!container) return openDialog(clientSecret, tell);
      const host = document.createElement("div");
      const root = host.attachShadow({ mode: "open" });
      root.adoptedStyleSheets = [sheet];
      container.append(host);
      return openFrame(root, clientSecret, (event) => {
        if (event.type === "closed") host.remove();
        tell(event);
      });
    },
  });
  Object.defineProperty(window, "Rampwright", { value: Rampwright });
})();
