CREATE OR REPLACE FUNCTION @{function}() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
    -- Not left to UPDATE OF: another trigger may have changed a key that the statement does not name.
    IF TG_OP = 'UPDATE' THEN
        IF @{unchanged} THEN
            RETURN NULL;
        END IF;
    END IF;
    IF NOT EXISTS (SELECT FROM @{parent} AS parent WHERE @{joined}) THEN
        RAISE EXCEPTION USING
            ERRCODE = 'foreign_key_violation',
            MESSAGE = format(
                'insert or update on table "%s" violates foreign key constraint "%s"',
                TG_TABLE_NAME, @{constraint}
            ),
            DETAIL = @{detail},
            SCHEMA = TG_TABLE_SCHEMA,
            TABLE = TG_TABLE_NAME,
            CONSTRAINT = @{constraint};
    END IF;
    RETURN NULL;
END
$body$
