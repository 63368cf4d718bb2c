-- The seal under which a send was agreed to: the signer verifies it, and signs for nothing without. What was placed
-- before this has none, and waits for a person with a hold.
ALTER TABLE orders ADD COLUMN intent bytea CHECK (length(intent) = 33);
ALTER TABLE payouts ADD COLUMN intent bytea CHECK (length(intent) = 33);
