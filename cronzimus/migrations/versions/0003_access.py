"""People, tokens, sessions, and the record of who changed what."""

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

AUDIT = """
CREATE TABLE cronzimus.audit_events (
    id         bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    at         timestamptz NOT NULL DEFAULT clock_timestamp(),
    actor      text        NOT NULL,
    door       text        NOT NULL,
    address    text,
    request_id text,
    action     text        NOT NULL,
    target     text        NOT NULL,
    before     jsonb,
    after      jsonb,
    CONSTRAINT audit_events_pkey PRIMARY KEY (id),
    CONSTRAINT audit_events_door_known CHECK (door IN ('api', 'cli', 'web', 'house')),
    CONSTRAINT audit_events_action_is_noun_and_verb CHECK (action ~ '^[a-z_]+[.][a-z_]+$')
);
CREATE INDEX idx_audit_events_target_id ON cronzimus.audit_events (target text_pattern_ops, id DESC);
CREATE INDEX idx_audit_events_actor_id ON cronzimus.audit_events (actor, id DESC);
CREATE INDEX idx_audit_events_at ON cronzimus.audit_events (at);

-- What was recorded stays as it was. Only the pruning below may remove, and never the last thirty days.
CREATE FUNCTION cronzimus.keep_audit_events() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND current_setting('cronzimus.pruning', true) = 'audit_events' THEN
        IF OLD.at < clock_timestamp() - interval '30 days' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION 'what the audit recorded is neither changed nor removed'
        USING ERRCODE = 'restrict_violation', CONSTRAINT = 'audit_events_append_only';
END $$;
CREATE TRIGGER audit_events_append_only BEFORE UPDATE OR DELETE ON cronzimus.audit_events
    FOR EACH ROW EXECUTE FUNCTION cronzimus.keep_audit_events();
CREATE TRIGGER audit_events_never_truncated BEFORE TRUNCATE ON cronzimus.audit_events
    FOR EACH STATEMENT EXECUTE FUNCTION cronzimus.keep_audit_events();

CREATE FUNCTION cronzimus.prune_audit_events(oldest timestamptz, most integer) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    removed bigint;
BEGIN
    -- Not a SET clause of the function: that one only superusers may write.
    PERFORM set_config('cronzimus.pruning', 'audit_events', true);
    DELETE FROM cronzimus.audit_events
    WHERE id IN (
        SELECT id FROM cronzimus.audit_events
        WHERE at < least(oldest, clock_timestamp() - interval '30 days')
        ORDER BY at
        LIMIT most
    );
    GET DIAGNOSTICS removed = ROW_COUNT;
    PERFORM set_config('cronzimus.pruning', '', true);
    RETURN removed;
END $$;
"""

PEOPLE = """
CREATE TABLE cronzimus.users (
    name          text        NOT NULL,
    role          text        NOT NULL,
    password_hash text,
    oidc_issuer   text,
    oidc_subject  text,
    created_by    text        NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    updated_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    signed_in_at  timestamptz,
    disabled_at   timestamptz,
    CONSTRAINT users_pkey PRIMARY KEY (name),
    CONSTRAINT users_name_is_an_account CHECK (name ~ '^[a-z0-9][a-z0-9._@+-]{0,62}$'),
    CONSTRAINT users_role_known CHECK (role IN ('viewer', 'operator', 'admin')),
    CONSTRAINT users_subject_has_an_issuer CHECK ((oidc_issuer IS NULL) = (oidc_subject IS NULL)),
    CONSTRAINT users_once_per_subject UNIQUE (oidc_issuer, oidc_subject)
);

CREATE TABLE cronzimus.sessions (
    sha256     text        NOT NULL,
    user_name  text        NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at    timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    address    text,
    CONSTRAINT sessions_pkey PRIMARY KEY (sha256),
    CONSTRAINT fk_sessions_users FOREIGN KEY (user_name) REFERENCES cronzimus.users (name) ON DELETE CASCADE
);
CREATE INDEX idx_sessions_user_name ON cronzimus.sessions (user_name);
CREATE INDEX idx_sessions_expires_at ON cronzimus.sessions (expires_at);

-- Who asked lately with a wrong password. What was typed as a name may be a password: only its digest is kept.
CREATE TABLE cronzimus.login_attempts (
    id          bigint      NOT NULL GENERATED ALWAYS AS IDENTITY,
    name_sha256 text        NOT NULL,
    network     text        NOT NULL,
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    CONSTRAINT login_attempts_pkey PRIMARY KEY (id)
);
CREATE INDEX idx_login_attempts_name_sha256_at ON cronzimus.login_attempts (name_sha256, at);
CREATE INDEX idx_login_attempts_network_at ON cronzimus.login_attempts (network, at);
"""

TOKENS = """
CREATE TABLE cronzimus.api_tokens (
    id           uuid        NOT NULL,
    name         text        NOT NULL,
    prefix       text        NOT NULL,
    sha256       text        NOT NULL,
    scopes       text[]      NOT NULL,
    created_by   text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    revoked_by   text,
    CONSTRAINT api_tokens_pkey PRIMARY KEY (id),
    CONSTRAINT api_tokens_sha256_once UNIQUE (sha256),
    CONSTRAINT api_tokens_scopes_known CHECK (
        cardinality(scopes) > 0 AND scopes <@ ARRAY['read', 'operate', 'admin']),
    CONSTRAINT api_tokens_revoked_by_somebody CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
-- A name in the audit means one token: it is given again only when its bearer may no longer come in.
CREATE UNIQUE INDEX api_tokens_name_once ON cronzimus.api_tokens (name) WHERE revoked_at IS NULL;
"""


def upgrade() -> None:
    """Create the tables."""
    for statements in (AUDIT, PEOPLE, TOKENS):
        op.execute(statements)


def downgrade() -> None:
    """Drop the tables, the newest first."""
    for table in ("api_tokens", "login_attempts", "sessions", "users", "audit_events"):
        op.execute(f"DROP TABLE cronzimus.{table}")
    op.execute("DROP FUNCTION cronzimus.prune_audit_events, cronzimus.keep_audit_events")
