-- Why something that a person corrected is redacted: what people said is laid over findings in one way.
ALTER TABLE correction ADD COLUMN exemption TEXT NOT NULL DEFAULT 'woo-5.1.2e';
