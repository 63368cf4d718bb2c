// The steps of a purchase, by name.
// @ts-check

/** @import { Steps } from "../types.js" */
import { addressStep } from "./address.js";
import { amountStep } from "./amount.js";
import { authenticationStep, paymentStep } from "./payment.js";
import { reviewStep } from "./review.js";
import { statusStep } from "./status.js";

/** @type {Steps} */
export const STEPS = {
  amount: amountStep,
  address: addressStep,
  review: reviewStep,
  payment: paymentStep,
  authentication: authenticationStep,
  status: statusStep,
};
