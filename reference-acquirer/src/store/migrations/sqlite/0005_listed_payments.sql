-- A Partner lists its payments by age.
CREATE INDEX payments_by_age ON payments (partner, created_at, id);
