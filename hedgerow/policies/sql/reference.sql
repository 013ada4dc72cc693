CREATE OR REPLACE FUNCTION @{function}() RETURNS trigger LANGUAGE plpgsql AS $body$
BEGIN
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
