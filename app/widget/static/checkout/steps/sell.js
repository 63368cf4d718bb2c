// The steps of a sale, by name.
// @ts-check

/** @import { Steps } from "../types.js" */
import { amountStep } from "./amount.js";
import { bankStep } from "./bank.js";
import { depositStep } from "./deposit.js";
import { reviewStep } from "./review.js";
import { statusStep } from "./status.js";

/** @type {Steps} */
export const STEPS = {
  amount: amountStep,
  bank: bankStep,
  review: reviewStep,
  deposit: depositStep,
  status: statusStep,
};
