CREATE TABLE rls.signing_key (
    inner_pad bytea PRIMARY KEY,
    outer_pad bytea NOT NULL,
    max_age interval NOT NULL,
    retires_at timestamptz
);
