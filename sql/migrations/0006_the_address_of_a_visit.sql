-- Whoever visits a patient at home says that they have been told the address, by phone. It is not written down here.
ALTER TABLE appointment ADD COLUMN address_told_at timestamptz;
