// Every shape by its name, as JSDoc types: first what the server sends, then what the page's own parts give each other.
// No browser loads this file.
// @ts-check

/** @import { Problem } from "./api.js" */
/** @import { Checkout } from "./checkout.js" */
/** @typedef {"amount" | "address" | "bank" | "review" | "payment" | "authentication" | "deposit" | "status"} StepName */
/** @typedef {"created" | "opened" | "ordered" | "completed" | "expired" | "revoked"} SessionStatus */
/** @typedef {{ asset: string, network?: string | null, amount: string }} Money */
/** @typedef {{ asset: string, network?: string | null, amount: string | null, address?: string | null, memo?: string | null }} Side */
/** @typedef {{ name: string, decimals: number, symbol?: string | null, network_name?: string | null }} AssetInfo */
/** @typedef {{ type: "processing" | "network" | "partner", amount: string, asset: string, recipient: string }} Fee */
/** @typedef {{ mode?: "auto" | "light" | "dark" | null, accent?: string | null, radius?: number | null, font?: "system" | "serif" | "mono" | null }} Theme */
/** @typedef {{ payment_method: string, label: string, outcome: "succeeds" | "declined" | "three_ds" }} TestCard */
/** @typedef {{ stage?: string | null, status?: string | null, at: string }} Moment */
/** @typedef {{ code?: string | null, message?: string | null }} Failure */

/**
 * A price that is held until `expires_at`.
 * @typedef {object} Quote
 * @property {string} id
 * @property {"buy" | "sell"} direction
 * @property {"open" | "used" | "expired"} status
 * @property {"source" | "destination"} amount_side
 * @property {Money} source
 * @property {Money} destination
 * @property {string} rate fiat for one whole coin
 * @property {{ value: string, sources: string[], as_of: string }} mid_rate
 * @property {number} spread_bps
 * @property {Fee[]} fees
 * @property {number} total_cost_bps
 * @property {string | null} payment_method
 * @property {string} expires_at
 * @property {string} created_at
 */

/**
 * What the customer has still to do for a payment.
 * @typedef {object} NextAction
 * @property {string} type `three_ds`, `redirect`, `bank_transfer` or `provider`
 * @property {string | null} [url]
 * @property {Money | null} [amount_remaining]
 * @property {string | null} [reference]
 * @property {Record<string, string>[]} [accounts]
 */

/**
 * @typedef {object} Payment
 * @property {string} provider
 * @property {string | null} reference
 * @property {string | null} [client_secret] the provider's: lets this page finish the payment
 * @property {string | null} [publishable_key]
 * @property {string} status
 * @property {Failure | null} [failure]
 */

/**
 * An accepted quote being carried out.
 * @typedef {object} Order
 * @property {string} id
 * @property {number} sequence grows with every change
 * @property {string} quote_id
 * @property {"buy" | "sell"} direction
 * @property {string} status
 * @property {string} stage
 * @property {Money & { received: string, refunded: string }} source
 * @property {Money & { delivered: string, address?: string | null, tx_hash?: string | null, confirmations?: number }} destination
 * @property {Payment | null} payment
 * @property {NextAction | null} [next_action]
 * @property {string | null} [deliver_after]
 * @property {{ address: string, network: string, amount: string, expires_at: string } | null} [deposit]
 * @property {Fee[]} fees
 * @property {Record<string, unknown> | null} hold
 * @property {Failure | null} failure
 * @property {string[]} allowed_actions
 * @property {string} expires_at
 * @property {string} created_at
 */

/**
 * Everything that this page shows, in one piece.
 * @typedef {object} View
 * @property {string} id
 * @property {SessionStatus} status
 * @property {boolean} livemode
 * @property {string} now the server's clock
 * @property {string} expires_at
 * @property {{ name: string }} partner
 * @property {"buy" | "sell"} direction
 * @property {Side} source
 * @property {Side} destination
 * @property {string | null} payment_method
 * @property {{ id: string, label: string } | null} external_account
 * @property {string} locale
 * @property {Theme | null} theme
 * @property {string | null} return_url
 * @property {string | null} [refund_address]
 * @property {{ min: string, max: string, asset: string } | null} limits null: the currency is not served at the moment
 * @property {string[]} payment_methods
 * @property {Record<string, AssetInfo>} assets
 * @property {{ kind: "sandbox" | "stripe", publishable_key: string | null, payment_methods: TestCard[] }} checkout
 * @property {boolean} confirm_in_window
 * @property {string | null} explorer
 * @property {number} confirmations_needed
 * @property {Quote | null} quote
 * @property {Order | null} order
 * @property {{ uri: string, qr: { size: number, path: string }, tx_hash?: string | null, confirmations?: number } | null} deposit
 * @property {Moment[]} timeline
 */

/** @typedef {{ valid: true, normalised: string, look_alike: boolean } | { valid: false, code: string | null }} AddressCheck */
/** @typedef {{ status: "succeeded" | "requires_action" | "declined" | "processing", code: string | null }} TestPayment */
/** @typedef {{ holder_name: string, iban: string } | { holder_name: string, routing_number: string, account_number: string }} Bank */

/**
 * What the customer has entered and the server does not know yet.
 * @typedef {object} Draft
 * @property {StepName} step how far the customer has come, while there is no order
 * @property {string} amount as the server would take it; empty when nothing was entered
 * @property {"source" | "destination"} side which of the two amounts that is
 * @property {string | null} method
 * @property {string} address
 * @property {boolean} compared the customer says that a look-alike address is right
 * @property {string} refundAddress
 * @property {string | null} after the order that has ended, and after which the customer begins again
 */

/**
 * One step on the screen.
 * @typedef {object} Step
 * @property {HTMLElement} root the `<section>`
 * @property {(view: View) => void} update something has changed on the server
 * @property {() => void} leave stop every timer and request of this step
 */

/** @typedef {Partial<Record<StepName, (checkout: Checkout) => Step>>} Steps */

/**
 * @typedef {object} Listener
 * @property {(view: View) => void} onView
 * @property {(up: boolean) => void} onLine the stream came up, or went down
 * @property {(problem: Problem) => void} onRefused the credential is not good any more: the stream has ended
 */

/** @typedef {{ amount?: string, side?: "source" | "destination", payment_method?: string }} Wanted */

/**
 * @typedef {object} Asker
 * @property {(quote: Quote) => void} onQuote
 * @property {(problem: Problem) => void} onProblem
 * @property {(busy: boolean) => void} onBusy
 */

/** @typedef {string | number | boolean | null | undefined} Attribute */

/** @typedef {Node | string | null | undefined | false} Child */

/** @typedef {Record<string, string | number>} Values */

/** @typedef {[red: number, green: number, blue: number]} Colour 0 to 255 each */

/** @typedef {{ session: string, allowed_origins: string[], locale: string, livemode: boolean }} Frame */

/** @typedef {{ secret: string }} Opening */

/** @typedef {{ id: string, status: string, stage: string }} OrderNews */

/** @typedef {{ readonly armed: boolean, stop(): void }} Guard */

/** @typedef {{ body?: unknown, key?: string, credential?: string, signal?: AbortSignal, tries?: number }} Call */

/** @typedef {{ credential: string, draft: Draft, bank: Bank | null }} Luggage */

/** @typedef {{ get(key: string): string | null, set(key: string, value: string): void, remove(key: string): void }} Store */

/** @typedef {{ name: string, value: string | Node, strong?: boolean, half?: boolean, testid?: string }} Detail */

/** @typedef {{ happened: string, money: string, todo: string }} Explanation */

/**
 * @typedef {object} ActionButton
 * @property {HTMLButtonElement} root
 * @property {(...label: Child[]) => void} label
 * @property {(possible: boolean) => void} allow
 */

/**
 * @typedef {object} TextField
 * @property {HTMLElement} root
 * @property {HTMLInputElement} input
 * @property {string} key the API's name for it
 * @property {() => string} value
 * @property {() => boolean} check whether it is right; says so beside it when not
 * @property {() => void} focus
 */

/**
 * @typedef {object} TextForm
 * @property {string} name of its label in the locales, and of its test id
 * @property {string} [key]
 * @property {string} value
 * @property {string} autocomplete
 * @property {string} problem what is said when it is not right: `problem.<problem>` in the locales
 * @property {(text: string) => boolean} good
 * @property {number} maxlength
 * @property {boolean} [latin] written from left to right in every language
 * @property {boolean} [digits]
 */

/**
 * @typedef {object} Countdown
 * @property {HTMLElement} root
 * @property {(from: string, until: string) => void} start
 * @property {() => void} stop and show nothing
 */

/** @typedef {{ root: HTMLElement, show(problem: Problem, view: View | null): void, clear(): void }} Notice */

/**
 * A way to pay, on the screen.
 * @typedef {object} PayForm
 * @property {HTMLElement} root
 * @property {(() => Promise<Problem | null>) | null} pay null when nothing is to be pressed; answers what went wrong
 * @property {(view: View) => void} [update]
 */

/** @typedef {{ name: string, at: string | null, state: "done" | "now" | "later" }} Stage */

/**
 * @typedef {object} AmountField
 * @property {HTMLElement} root
 * @property {"source" | "destination"} side
 * @property {(amount: string) => void} show
 * @property {(quote: Quote) => void} shown fill in what the quote says, unless the customer is typing here
 */

export {};
