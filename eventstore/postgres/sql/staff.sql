-- Whom a staff reference means: a subject of an issuer of tokens, normalised. Events hold the reference alone, so that
-- who it was can be erased.

CREATE TABLE passage.staff (
    reference text PRIMARY KEY CHECK (reference ~ '^s-[0-9a-f]{12}$'),
    issuer text NOT NULL,
    subject text NOT NULL,
    UNIQUE (issuer, subject)
);

CREATE FUNCTION passage.staff_reference(p_issuer text, p_subject text, p_drawn text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    v_reference text;
BEGIN
    SELECT reference INTO v_reference FROM passage.staff WHERE issuer = p_issuer AND subject = p_subject;
    IF FOUND THEN
        RETURN v_reference;
    END IF;
    INSERT INTO passage.staff (reference, issuer, subject) VALUES (p_drawn, p_issuer, p_subject)
    ON CONFLICT (issuer, subject) DO NOTHING;
    SELECT reference INTO STRICT v_reference FROM passage.staff WHERE issuer = p_issuer AND subject = p_subject;
    RETURN v_reference;
END
$$;

CREATE FUNCTION passage.forget_staff(p_reference text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    DELETE FROM passage.staff WHERE reference = p_reference;
    RETURN FOUND;
END
$$;
